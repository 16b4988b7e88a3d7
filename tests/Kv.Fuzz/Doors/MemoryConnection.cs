using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace Kv.Fuzz.Doors;

/// <summary>A connection without a network: a client that sends its bytes in two pieces, ends its side, and reads what comes.</summary>
internal sealed class MemoryConnection : DefaultConnectionContext
{
    private readonly Pipe sent;
    private readonly Pipe answered;

    // Never disposed: the base's is while it may still be cancelled, which ends the process.
    private readonly CancellationTokenSource gone = new();

    private MemoryConnection(string id, Pipe sent, Pipe answered)
        : base(id, new Ends(sent.Reader, answered.Writer), new Ends(answered.Reader, sent.Writer))
    {
        (this.sent, this.answered) = (sent, answered);
        ConnectionClosed = gone.Token;
    }

    /// <summary>Nothing waits for room in the pipes: a client that takes nothing is not what is tried here.</summary>
    public static MemoryConnection Open()
    {
        var unbounded = new PipeOptions(pauseWriterThreshold: 0, resumeWriterThreshold: 0, useSynchronizationContext: false);
        return new MemoryConnection(Guid.NewGuid().ToString("N"), new Pipe(unbounded), new Pipe(unbounded));
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await sent.Writer.WriteAsync(bytes[..(bytes.Length / 2)]);
        await sent.Writer.WriteAsync(bytes[(bytes.Length / 2)..]);
        await sent.Writer.CompleteAsync();
    }

    /// <summary>All that comes until the server ends the connection.</summary>
    public async Task<byte[]> ReadToEndAsync()
    {
        while (true)
        {
            var read = await answered.Reader.ReadAsync();
            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                await answered.Reader.CompleteAsync();
                return bytes;
            }

            answered.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public override void Abort(ConnectionAbortedException abortReason) => _ = gone.CancelAsync();

    public override async ValueTask DisposeAsync()
    {
        await Transport.Input.CompleteAsync();
        await Transport.Output.CompleteAsync();
        await base.DisposeAsync();
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
