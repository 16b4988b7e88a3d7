namespace Kv.Core.Rings;

/// <summary>A node that is to own partitions, and its failure domain (empty: none given; nodes without one share one).</summary>
public readonly record struct ClaimMember(NodeId Id, string Zone);
