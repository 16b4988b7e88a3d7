namespace Kv.Chaos.Reports;

/// <summary>One operation of one client, as it ended.</summary>
/// <param name="Ended">Seconds of the run.</param>
/// <param name="Error">What kind of failure; null where it succeeded.</param>
internal readonly record struct OperationRecord(string Door, string Kind, double Ended, double Seconds, string? Error, bool IsRetryable);
