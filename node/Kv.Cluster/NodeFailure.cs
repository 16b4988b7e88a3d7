namespace Kv.Cluster;

/// <summary>The first failure that the node cannot go on after. Whoever meets one reports it; the owner of the node waits for it.</summary>
internal sealed class NodeFailure
{
    private readonly TaskCompletionSource<Exception> first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<Exception> Task => first.Task;

    public void Report(Exception failure) => first.TrySetResult(failure);
}
