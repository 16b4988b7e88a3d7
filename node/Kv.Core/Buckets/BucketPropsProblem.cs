namespace Kv.Core.Buckets;

/// <summary>One property that was refused, and why, in Riak's words where it has them (riak_kv_bucket).</summary>
public sealed record BucketPropsProblem(string Property, string Reason)
{
    public override string ToString() => $"{Property}: {Reason}";
}
