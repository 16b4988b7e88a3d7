using Kv.Core.MapReduce;

namespace Kv.Cluster;

/// <summary>Some of what came out of a phase whose results are kept; <paramref name="Phase"/> counts from 0. Of a job without phases the inputs come as phase 0's.</summary>
public sealed record MapReduceResults(int Phase, IReadOnlyList<Term> Terms);
