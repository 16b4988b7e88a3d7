namespace Kv.Kubectl.Import;

/// <summary>What has become of a key, and of the last three why.</summary>
/// <param name="Fate">Which.</param>
/// <param name="Reason">For people.</param>
/// <param name="IsFinal">Of one that failed: whether only the next import may try it again.</param>
internal readonly record struct KeyResult(KeyFate Fate, string Reason = "", bool IsFinal = false);
