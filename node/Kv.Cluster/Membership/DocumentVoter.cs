using Kv.Cluster.Async;
using Kv.Core.Membership;
using Kv.Core.Stores;

namespace Kv.Cluster.Membership;

/// <summary>This node's vote on the document's next version: <see cref="DocumentAcceptor"/> with its memory on disk before each answer.</summary>
internal sealed class DocumentVoter(ClusterState state, INodeState files, NodeFailure failure)
{
    public const string FileName = "document-acceptor";

    private readonly AsyncMutex voting = new();
    private AcceptorState remembered = AcceptorState.Fresh;

    /// <summary>Throws <see cref="StoreException"/> where what was promised cannot be read: an acceptor that forgets could decide a version twice.</summary>
    public async ValueTask RecoverAsync(CancellationToken cancel)
    {
        if (await files.ReadAsync(FileName, cancel) is not { } bytes)
        {
            return;
        }

        try
        {
            remembered = AcceptorStateCodec.Decode(bytes);
        }
        catch (DocumentFormatException e)
        {
            throw new StoreException($"{FileName} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>After a document is learned or recovered: what was accepted before is let go where it alone would keep an earlier program from starting here.</summary>
    public async ValueTask ForgetAsync()
    {
        using var holder = await voting.EnterAsync();
        if (state.Current.Document is { } held && DocumentAcceptor.Forget(remembered, held) is { } forgotten)
        {
            await PersistAsync(forgotten);
            remembered = forgotten;
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
            await PersistAsync(step.State);
        }

        remembered = step.State;
        return step.Reply;
    }

    private async ValueTask PersistAsync(AcceptorState next)
    {
        try
        {
            await files.WriteAsync(FileName, AcceptorStateCodec.Encode(next), CancellationToken.None);
        }
        catch (StoreException e)
        {
            failure.Report(e);
            throw;
        }
    }
}
