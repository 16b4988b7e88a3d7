namespace Kv.Cluster;

/// <summary>Thrown by the enumerator of <see cref="KvClient.MapReduceAsync"/> when a job cannot go on. A job that ends without it is complete.</summary>
public sealed class MapReduceFailedException(MapReduceFailure failure) : Exception($"the job ended early: {failure}")
{
    public MapReduceFailure Failure { get; } = failure;
}
