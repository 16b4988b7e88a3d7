using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.AntiEntropy;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Carries out one <see cref="Exchange"/>: asks the peer, reads the own vnode, and has what differs repaired by the ordinary read. Ends with the first thing that
/// does not go as it should; the next attempt begins anew, and what was repaired stays so.
/// </summary>
internal sealed class ExchangeRun(
    ExchangePair pair,
    NodeId peer,
    Vnode vnode,
    ulong layout,
    long documentVersion,
    Func<PeerRequest, CancellationToken, ValueTask<PeerReply>> ask,
    KvClient client,
    ClusterOptions options,
    Pace pace,
    TimeProvider time,
    AntiEntropyStatistics statistics)
{
    private static readonly TimeSpan BusyPause = TimeSpan.FromMilliseconds(100);

    private readonly Exchange exchange = new(vnode.Trees.Find(pair.Range) ?? new HashTree());

    public NodeId Peer => peer;

    /// <summary>Keys that differed.</summary>
    public int Found => exchange.Keys;

    /// <summary>Keys for which a replica was sent the merged object.</summary>
    public int Repaired { get; private set; }

    /// <summary>Null where the two trees are equal now, as far as one could see; else why not.</summary>
    public async ValueTask<string?> RunAsync(CancellationToken cancel)
    {
        var mustRelease = false;
        try
        {
            while (exchange.Next is not ExchangeStep.Done)
            {
                if (await StepAsync(exchange.Next, cancel) is { } problem)
                {
                    return problem;
                }

                mustRelease |= exchange.Next is ExchangeStep.AskBranches;
            }

            return null;
        }
        finally
        {
            if (mustRelease)
            {
                await ask(new PeerRequest.TreeRelease(pair.Peer, pair.Range) { DocumentVersion = documentVersion }, CancellationToken.None);
            }
        }
    }

    private async ValueTask<string?> StepAsync(ExchangeStep step, CancellationToken cancel)
    {
        switch (step)
        {
            case ExchangeStep.AskRoot root:
                return await AskAsync(new PeerRequest.TreeRoot(pair.Peer, pair.Range, layout, root.Mine), 1, hashes => exchange.TakeRoot(hashes[0]), cancel);
            case ExchangeStep.AskBranches:
                return await AskAsync(new PeerRequest.TreeBranches(pair.Peer, pair.Range, layout), HashTree.Branches, hashes => exchange.TakeBranches(hashes), cancel);
            case ExchangeStep.AskSegments segments:
                return await AskAsync(
                    new PeerRequest.TreeSegments(pair.Peer, pair.Range, layout, segments.Branches),
                    segments.Branches.Count * HashTree.SegmentsPerBranch,
                    hashes => exchange.TakeSegments(hashes),
                    cancel);
            case ExchangeStep.AskLeaves leaves:
                return await AskLeavesAsync(leaves, cancel);
            case ExchangeStep.AskEntries entries:
                return await AskEntriesAsync(entries, cancel);
            case ExchangeStep.ReadEntries entries:
                return await ReadEntriesAsync(entries, cancel);
            case ExchangeStep.Repair repair:
                return await RepairAsync(repair.Keys, cancel);
            default:
                throw new System.Diagnostics.UnreachableException($"unknown step {step}");
        }
    }

    private async ValueTask<string?> AskAsync(PeerRequest request, int count, Action<uint[]> take, CancellationToken cancel)
    {
        var reply = await AskPatientlyAsync(request, cancel);
        if (reply is not PeerReply.TreeHashes { Hashes: var hashes } || hashes.Count != count)
        {
            return Problem(reply);
        }

        await SpendAsync(count * sizeof(uint), () => take([.. hashes]), cancel);
        return null;
    }

    private async ValueTask<string?> AskLeavesAsync(ExchangeStep.AskLeaves leaves, CancellationToken cancel)
    {
        var reply = await AskPatientlyAsync(new PeerRequest.TreeLeaves(pair.Peer, pair.Range, layout, leaves.Depth, leaves.Segments), cancel);
        if (reply is PeerReply.Refused refused && refused.Reason.StartsWith(PeerReply.Refused.Unreadable, StringComparison.Ordinal))
        {
            exchange.TakeNoLeaves();
            return null;
        }

        if (reply is not PeerReply.TreeHashes { Hashes: var hashes } || !Enumerable.Range(0, leaves.Depth + 1).Any(depth => hashes.Count == leaves.Segments.Count << depth))
        {
            return Problem(reply);
        }

        await SpendAsync(hashes.Count * sizeof(uint), () => exchange.TakeLeaves([.. hashes]), cancel);
        return null;
    }

    private async ValueTask<string?> AskEntriesAsync(ExchangeStep.AskEntries entries, CancellationToken cancel)
    {
        PeerRequest request = entries.Depth == 0
            ? new PeerRequest.TreeEntries(pair.Peer, pair.Range, layout, entries.Leaves, entries.After)
            : new PeerRequest.TreeLeafEntries(pair.Peer, pair.Range, layout, entries.Depth, entries.Leaves, entries.After);
        var reply = await AskPatientlyAsync(request, cancel);
        if (reply is not PeerReply.TreePage page || page.Whole > entries.Leaves.Count || (page.Whole == 0 && page.Entries.Count == 0))
        {
            return Problem(reply);
        }

        await SpendAsync(page.Entries.Sum(entry => (long)TreeEntry.BytesOf(entry.Key)), () => exchange.TakeTheirs(page.Entries, page.Whole), cancel);
        return null;
    }

    private async ValueTask<string?> ReadEntriesAsync(ExchangeStep.ReadEntries entries, CancellationToken cancel)
    {
        var end = Deadline.After(time, options.ExchangeTimeout);
        while (true)
        {
            var (reply, page) = await vnode.ReadTreeAsync(pair.Range, layout, entries.Depth, entries.Leaves, entries.After);
            switch (reply)
            {
                case PeerReply.Done when page.Whole > 0 || page.Entries.Count > 0:
                    exchange.TakeMine(page.Entries, page.Whole);
                    await pace.SpendAsync(0, page.Work, cancel);
                    return null;
                case PeerReply.Overloaded when !end.HasPassed(time):
                    await Task.Delay(BusyPause, time, cancel);
                    break;
                default:
                    return Problem(reply);
            }
        }
    }

    /// <summary>A key that cannot be repaired now is found again by the next exchange.</summary>
    private async ValueTask<string?> RepairAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, CancellationToken cancel)
    {
        foreach (var few in keys.Chunk(options.ExchangeRepairConcurrency))
        {
            var repairs = await Task.WhenAll(few.Select(RepairAsync));
            Repaired += repairs.Count(isRepaired => isRepaired);
            await pace.SpendAsync(0, TimeSpan.Zero, cancel);
        }

        statistics.KeysFound(keys.Count);
        exchange.TakeRepaired();
        return null;
    }

    private async Task<bool> RepairAsync(ReadOnlyMemory<byte> key)
    {
        if (!ObjectKeyCodec.TryDecode(key, out var name))
        {
            return false;
        }

        return await client.RepairAsync(name, Deadline.After(time, options.ExchangeTimeout)) is { Repairs.IsEmpty: false, IsDone: true };
    }

    private async ValueTask<PeerReply> AskPatientlyAsync(PeerRequest request, CancellationToken cancel)
    {
        var end = Deadline.After(time, options.ExchangeTimeout);
        while (true)
        {
            var reply = await ask(request with { DocumentVersion = documentVersion }, cancel);
            if (reply is not PeerReply.Overloaded || end.HasPassed(time))
            {
                return reply;
            }

            await Task.Delay(BusyPause, time, cancel);
        }
    }

    /// <summary>Takes in what came, and waits for what that cost.</summary>
    private ValueTask SpendAsync(long bytes, Action take, CancellationToken cancel)
    {
        var began = time.GetTimestamp();
        take();
        statistics.Moved(bytes);
        return pace.SpendAsync(bytes, time.GetElapsedTime(began), cancel);
    }

    private static string Problem(PeerReply reply) => reply is PeerReply.Refused refused ? refused.Reason : $"no answer that makes sense: {reply.GetType().Name}";
}
