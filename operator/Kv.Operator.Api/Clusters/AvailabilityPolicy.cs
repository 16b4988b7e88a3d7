namespace Kv.Operator.Api.Clusters;

/// <summary>Whether data without a second copy may be away while its node restarts.</summary>
public enum AvailabilityPolicy
{
    KeepQuorum,
    AllowUnavailable,
}
