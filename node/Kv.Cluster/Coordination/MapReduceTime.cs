namespace Kv.Cluster.Coordination;

/// <summary>How long a job may still go on: until its deadline, and while its client is there.</summary>
internal readonly record struct MapReduceTime(Deadline Deadline, TimeProvider Time, CancellationToken Cancel)
{
    /// <exception cref="MapReduceFailedException">None is left.</exception>
    public TimeSpan Left()
    {
        ThrowIfOver();
        return Deadline.Left(Time);
    }

    public void ThrowIfOver()
    {
        Cancel.ThrowIfCancellationRequested();
        if (Deadline.HasPassed(Time))
        {
            throw new MapReduceFailedException(new MapReduceFailure.OfRequest(new KvError.Timeout(Indeterminate: false)));
        }
    }
}
