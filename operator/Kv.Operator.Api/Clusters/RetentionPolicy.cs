namespace Kv.Operator.Api.Clusters;

/// <summary>Whether a volume outlives what used it.</summary>
public enum RetentionPolicy
{
    Retain,
    Delete,
}
