namespace Kv.Core.Stores;

/// <summary>What a scan read, in order; the entries are the reader's. <paramref name="IsLast"/> where nothing of the range is left behind them.</summary>
public readonly record struct ScanStretch(IReadOnlyList<StoredEntry> Entries, bool IsLast);
