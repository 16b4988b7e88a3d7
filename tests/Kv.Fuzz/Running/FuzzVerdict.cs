namespace Kv.Fuzz.Running;

/// <summary>What came of a run.</summary>
/// <param name="Target">Its name.</param>
/// <param name="Inputs">That were thrown.</param>
/// <param name="Kept">Of them, those that took something new, and the seeds.</param>
/// <param name="Pairs">Pairs of branches that were taken; 0 where decoders do not tell.</param>
/// <param name="Time">It took.</param>
/// <param name="Input">The one that failed, if one did.</param>
/// <param name="Failure">What it did.</param>
internal sealed record FuzzVerdict(string Target, long Inputs, int Kept, int Pairs, TimeSpan Time, byte[]? Input, string? Failure);
