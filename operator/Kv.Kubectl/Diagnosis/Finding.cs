namespace Kv.Kubectl.Diagnosis;

/// <summary>What a check found: in one sentence, with what can be done about it where that is a command.</summary>
internal sealed record Finding(FindingLevel Level, string Text);
