using Kv.Core.Causality;
using Kv.Core.DataTypes;

namespace Kv.Cluster;

/// <summary>What a put does to a data type in place of storing a value: the coordinating vnode makes the value of what it holds.</summary>
/// <param name="Operation">Carried out whole or not at all.</param>
/// <param name="Context">What the client had seen of a set or map, which its removals go by; null for what the coordinating vnode holds.</param>
public sealed record DataTypeUpdate(DataTypeOperation Operation, VersionVector? Context);
