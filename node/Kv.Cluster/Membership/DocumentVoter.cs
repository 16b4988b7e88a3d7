using Kv.Cluster.Async;
using Kv.Core.Membership;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Membership;

/// <summary>This node's vote on the document's next version: <see cref="DocumentAcceptor"/> with its memory on disk before each answer.</summary>
internal sealed partial class DocumentVoter(ClusterState state, INodeState files, NodeFailure failure, ILogger<DocumentVoter> log)
{
    public const string FileName = "document-acceptor";

    /// <summary>Says that the state was written once: earlier programs did that with the first vote alone, and what they left without one is no loss.</summary>
    public const string BegunName = "document-acceptor-begun";

    private static readonly byte[] Begun = [1];

    private readonly AsyncMutex voting = new();
    private AcceptorState remembered = AcceptorState.Fresh;
    private bool isBegun;

    /// <summary>
    /// Takes up what the last run left; after the document is recovered. Throws <see cref="StoreException"/> where what was promised cannot be read: an acceptor that forgets could decide a version twice.
    /// Where it is gone, though a document is held, this node leaves to others what it may have voted on.
    /// </summary>
    public async ValueTask RecoverAsync(CancellationToken cancel)
    {
        var held = state.Current.Document;
        isBegun = await files.ReadAsync(BegunName, cancel) is not null;
        if (await files.ReadAsync(FileName, cancel) is { } bytes)
        {
            remembered = Decode(bytes);
            await MarkBegunAsync();
        }
        else if (held is not null && isBegun)
        {
            LogLost(FileName, held.Version);
            await KeepAsync(DocumentAcceptor.AfterLoss(held, state.Current.Self));
        }
        else if (held is not null)
        {
            await KeepAsync(DocumentAcceptor.Beginning(held));
        }

        // Said at each start until it is over.
        if (held is not null && remembered.ClusterId == held.ClusterId && remembered.Version > held.Version + 1)
        {
            LogSilent(held.Version + 1, remembered.Version);
        }
    }

    /// <summary>Before the node's first document is persisted: see <see cref="DocumentAcceptor.Beginning"/>.</summary>
    public async ValueTask BeginAsync(ClusterDocument first)
    {
        using var holder = await voting.EnterAsync();
        if (!isBegun)
        {
            await KeepAsync(DocumentAcceptor.Beginning(first));
        }
    }

    /// <summary>After a document is learned or recovered: what was accepted before is let go where it alone would keep an earlier program from starting here.</summary>
    public async ValueTask ForgetAsync()
    {
        using var holder = await voting.EnterAsync();
        if (state.Current.Document is { } held && DocumentAcceptor.Forget(remembered, held) is { } forgotten)
        {
            await KeepAsync(forgotten);
        }
    }

    public ValueTask<AcceptorReply> PrepareAsync(Guid clusterId, long version, Ballot ballot) =>
        StepAsync(clusterId, held => DocumentAcceptor.Prepare(remembered, held, clusterId, version, ballot));

    public ValueTask<AcceptorReply> AcceptAsync(Guid clusterId, long version, Ballot ballot, ClusterDocument document)
    {
        // A value that breaks the laws must not become what everybody has to adopt.
        return document.ClusterId == clusterId && document.Version == version && DocumentRules.WhyBroken(document) is null
            ? StepAsync(clusterId, held => DocumentAcceptor.Accept(remembered, held, clusterId, version, ballot, document))
            : new ValueTask<AcceptorReply>(new AcceptorReply.Rejected(ballot));
    }

    private async ValueTask<AcceptorReply> StepAsync(Guid clusterId, Func<ClusterDocument?, AcceptorStep> next)
    {
        using var holder = await voting.EnterAsync();
        var step = next(state.Current.Document);
        if (step.MustPersist)
        {
            await KeepAsync(step.State);
        }

        remembered = step.State;
        return step.Reply;
    }

    private static AcceptorState Decode(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return AcceptorStateCodec.Decode(bytes);
        }
        catch (DocumentFormatException e)
        {
            throw new StoreException($"{FileName} cannot be read: {e.Message}", e);
        }
    }

    private async ValueTask KeepAsync(AcceptorState next)
    {
        await WriteAsync(FileName, AcceptorStateCodec.Encode(next));
        remembered = next;
        await MarkBegunAsync();
    }

    private async ValueTask MarkBegunAsync()
    {
        if (!isBegun)
        {
            await WriteAsync(BegunName, Begun);
            isBegun = true;
        }
    }

    private async ValueTask WriteAsync(string name, ReadOnlyMemory<byte> value)
    {
        try
        {
            await files.WriteAsync(name, value, CancellationToken.None);
        }
        catch (StoreException e)
        {
            failure.Report(e);
            throw;
        }
    }

    [LoggerMessage(2115, LogLevel.Error, "`{File}` is gone from this node's `state`, which holds version {Version} of the document: what this node promised and accepted is not known any more")]
    private partial void LogLost(string file, long version);

    [LoggerMessage(
        2116,
        LogLevel.Error,
        "this node has no vote on version {Version} of the document, on which it may have voted before it lost its votes or its newest document: the others decide it, and from version {Next} on it votes again. If they are too few without it, put `state` back as it was at the last stop")]
    private partial void LogSilent(long version, long next);
}
