namespace Kv.Storage.Log;

/// <summary>A store and the last sequence number that its newest checkpoint covers (<c>Birth - 1</c> before its first).</summary>
internal readonly record struct StoreCoverage(StoreIdentity Store, long CoveredLsn);
