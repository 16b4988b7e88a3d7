using Kv.Cluster.Async;
using Kv.Core.Membership;
using Kv.Core.Stores;
using Microsoft.Extensions.Logging;

namespace Kv.Cluster.Membership;

/// <summary>
/// The node's own copy of the cluster document: on disk before it is used or spoken of, and only ever replaced by a newer one of the same
/// cluster. A node that is in no cluster takes a document only if that lists it, which is so only after an administrator staged its join. One that was a
/// member and is one no more keeps the document that says so, and takes no other: what it holds on disk must not come back as a new node's.
/// </summary>
internal sealed partial class DocumentStore(ClusterState state, INodeState files, DocumentVoter voter, NodeFailure failure, ILogger<DocumentStore> log)
{
    public const string FileName = "cluster-document";

    private readonly AsyncMutex writing = new();

    /// <summary>Takes up what the last run left. Throws <see cref="StoreException"/> where it is damaged or another node's.</summary>
    public async ValueTask RecoverAsync(CancellationToken cancel)
    {
        if (await files.ReadAsync(FileName, cancel) is not { Length: > 0 } bytes)
        {
            return;
        }

        if (!ClusterDocumentCodec.TryDecode(bytes, out var document, out var reason))
        {
            throw new StoreException($"{FileName} cannot be read: {reason}");
        }

        if (document.FindMember(state.Current.Self) is null)
        {
            state.SetRemoved(document);
            LogRemoved(document.ClusterName, document.Version);
            return;
        }

        state.SetDocument(document);
        LogHeld(document.ClusterName, document.Version);
    }

    /// <summary>Takes the document up if it is newer; durable when it completes.</summary>
    public async ValueTask<LearnResult> LearnAsync(ClusterDocument document, CancellationToken cancel)
    {
        using var holder = await writing.EnterAsync();
        cancel.ThrowIfCancellationRequested();
        var result = Judge(state.Current.Document, document);
        switch (result)
        {
            case LearnResult.Learned:
                await voter.BeginAsync(document);
                await PersistAsync(ClusterDocumentCodec.Encode(document));
                state.SetDocument(document);
                LogHeld(document.ClusterName, document.Version);
                await voter.ForgetAsync();
                break;

            case LearnResult.Removed:
                await PersistAsync(ClusterDocumentCodec.Encode(document));
                state.SetRemoved(document);
                LogRemoved(document.ClusterName, document.Version);
                break;

            case LearnResult.TakenBack:
                await PersistAsync(ReadOnlyMemory<byte>.Empty);
                state.SetDocument(null);
                LogTakenBack(document.ClusterName, document.Version);
                break;

            case LearnResult.OtherCluster:
                LogOtherCluster(document.ClusterId, document.ClusterName);
                break;
        }

        return result;
    }

    private LearnResult Judge(ClusterDocument? held, ClusterDocument document)
    {
        if (DocumentRules.WhyBroken(document) is { } law)
        {
            LogBroken(document.Version, law);
            return LearnResult.Broken;
        }

        var isMember = document.FindMember(state.Current.Self) is not null;
        if (state.Current.RemovedBy is not null)
        {
            return LearnResult.NotMember;
        }

        if (held is null)
        {
            return isMember ? LearnResult.Learned : LearnResult.NotMember;
        }

        if (held.ClusterId != document.ClusterId)
        {
            return LearnResult.OtherCluster;
        }

        if (document.Version <= held.Version)
        {
            return LearnResult.AlreadyKnown;
        }

        return isMember ? LearnResult.Learned
            : held.FindMember(state.Current.Self) is { State: MemberState.Joining } ? LearnResult.TakenBack
            : LearnResult.Removed;
    }

    /// <summary>Not cancelled: half of a document on disk is not an answer. A state that cannot be written ends the node.</summary>
    private async ValueTask PersistAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await files.WriteAsync(FileName, bytes, CancellationToken.None);
        }
        catch (StoreException e)
        {
            failure.Report(e);
            throw;
        }
    }

    [LoggerMessage(2110, LogLevel.Information, "holding version {Version} of the document of cluster {Cluster}")]
    private partial void LogHeld(string cluster, long version);

    [LoggerMessage(2111, LogLevel.Warning, "version {Version} of the document of cluster {Cluster} lists this node no more: it was removed, serves nothing, and joins no cluster again")]
    private partial void LogRemoved(string cluster, long version);

    [LoggerMessage(2114, LogLevel.Warning, "version {Version} of the document of cluster {Cluster} took this node's join back: it is in no cluster")]
    private partial void LogTakenBack(string cluster, long version);

    [LoggerMessage(2112, LogLevel.Warning, "refused the document of another cluster, {ClusterId} ({Cluster})")]
    private partial void LogOtherCluster(Guid clusterId, string cluster);

    [LoggerMessage(2113, LogLevel.Error, "refused version {Version} of the document, which breaks a law: {Law}")]
    private partial void LogBroken(long version, string law);
}
