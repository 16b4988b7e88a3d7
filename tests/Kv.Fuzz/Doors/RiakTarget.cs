using Kv.Fuzz.Running;

namespace Kv.Fuzz.Doors;

/// <summary>A target behind a node that keeps what it is told: a new one takes its place after <see cref="InputsOfNode"/> inputs.</summary>
internal abstract class RiakTarget : FuzzTarget
{
    private const int InputsOfNode = 4000;

    private RiakNode? node;
    private int inputs;

    public override bool HasThreads => true;

    /// <summary>A request of five bytes lists all that the node has; a pattern is compiled. What a request may hold is bounded by the front end, and the process by a heap of 2 GiB.</summary>
    public override long FixedBytes => 128 * 1024 * 1024;

    public override long BytesPerByte => 128 * 1024;

    public override void Take(byte[] input)
    {
        if (node is null || inputs++ >= InputsOfNode)
        {
            Stop();
            (node, inputs) = (RiakNode.StartAsync().GetAwaiter().GetResult(), 0);
        }

        TakeAsync(node, input).GetAwaiter().GetResult();
    }

    public override void Dispose()
    {
        Stop();
        base.Dispose();
    }

    protected abstract Task TakeAsync(RiakNode riak, byte[] input);

    private void Stop()
    {
        node?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        node = null;
    }
}
