using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Kv.Cluster.Membership;
using Kv.Cluster.Peers;
using Kv.Cluster.Vnodes;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Cluster.AntiEntropy;

/// <summary>
/// Repairs the keys of a bucket, or of a range of it, without hash trees: every vnode of the ring that can be asked shows which of them it holds alive, and each key is read from all of its
/// primaries and repaired as an exchange does it. A key that only one replica has is found too. Reads all data of the ring once, paced.
/// </summary>
internal sealed class KeyRepair(
    BucketName bucket,
    ReadOnlyMemory<byte> from,
    ReadOnlyMemory<byte> to,
    ClusterState state,
    VnodeGate gate,
    IPeerTransport transport,
    KvClient client,
    ClusterOptions options,
    Pace pace,
    TimeProvider time)
{
    private const int MaxAttempts = 5;

    /// <summary>Keys that are tried again, of those that could not be repaired.</summary>
    private const int MaxAgain = 10_000;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    /// <summary>Names of keys that were seen to: past the bound one is seen to once for each replica.</summary>
    private readonly HashSet<UInt128> seen = [];
    private readonly long began = time.GetTimestamp();
    private readonly SortedDictionary<PartitionId, string> problems = [];

    /// <summary>Could not be read from all their replicas so far, or be repaired at one.</summary>
    private readonly List<ObjectKey> left = [];
    private int ringSize;
    private int vnodes;
    private long found;
    private long repaired;
    private long notRepaired;
    private long ended;

    public KeyRepairView View()
    {
        var end = Volatile.Read(ref ended);
        var took = time.GetElapsedTime(began, end == 0 ? time.GetTimestamp() : end);
        return new KeyRepairView(bucket, from, to, end == 0, took, Volatile.Read(ref vnodes), ringSize, Volatile.Read(ref found), Volatile.Read(ref repaired), Volatile.Read(ref notRepaired), ErrorText());
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            ringSize = state.Current.Document?.Ring.Size ?? 0;
            for (var number = 0; number < ringSize; number++)
            {
                var partition = new PartitionId(number);
                if (await ReadVnodeAsync(partition, cancel) is { } problem)
                {
                    lock (problems)
                    {
                        problems[partition] = problem;
                    }
                }
                else
                {
                    Interlocked.Increment(ref vnodes);
                }
            }

            for (var attempt = 1; attempt < MaxAttempts && left.Count > 0; attempt++)
            {
                await Task.Delay(RetryPause, time, cancel);
                await RepairLeftAsync(cancel);
            }
        }
        finally
        {
            Volatile.Write(ref ended, time.GetTimestamp());
        }
    }

    /// <summary>Null where all that the vnode holds of the bucket was seen to. What broke off begins anew; keys that were seen to are known.</summary>
    private async ValueTask<string?> ReadVnodeAsync(PartitionId partition, CancellationToken cancel)
    {
        string? problem = null;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            problem = await TryReadVnodeAsync(partition, cancel);
            if (problem is null)
            {
                return null;
            }

            await Task.Delay(RetryPause, time, cancel);
        }

        return problem;
    }

    private async ValueTask<string?> TryReadVnodeAsync(PartitionId partition, CancellationToken cancel)
    {
        long? cursor = 0;
        while (cursor is { } at)
        {
            cancel.ThrowIfCancellationRequested();
            var snapshot = state.Current;
            if (snapshot.Document is not { Ring: var ring })
            {
                return "the node is in no cluster any more";
            }

            var owner = ring.Owner(partition);
            if (!snapshot.IsUp(owner))
            {
                return $"{snapshot.Document.FindMember(owner)?.Name} is down";
            }

            var request = new PeerRequest.VnodeList(partition, bucket.BucketType, bucket.Bucket, at, options.ListPageKeys) { DocumentVersion = snapshot.DocumentVersion };
            var reply = owner == snapshot.Self
                ? await gate.ListAsync(request, cancel)
                : await transport.SendAsync(owner, request, PeerLane.Bulk, Deadline.After(time, options.RequestTimeout), cancel);
            if (reply is not PeerReply.ListPage page)
            {
                return reply is PeerReply.Refused refused ? refused.Reason : $"no answer that makes sense: {reply.GetType().Name}";
            }

            await RepairAsync(page.Names, cancel);
            cursor = page.NextCursor;
        }

        return null;
    }

    private async ValueTask RepairAsync(IReadOnlyList<ReadOnlyMemory<byte>> names, CancellationToken cancel)
    {
        await pace.SpendAsync(names.Sum(name => (long)name.Length), TimeSpan.Zero, cancel);
        foreach (var few in names.Where(IsDue).Select(name => new ObjectKey(bucket.BucketType, bucket.Bucket, name)).Chunk(options.ExchangeRepairConcurrency))
        {
            Interlocked.Add(ref found, few.Length);
            var failed = await TryRepairAsync(few);
            Interlocked.Add(ref notRepaired, failed.Count);
            left.AddRange(failed.Take(MaxAgain - left.Count));
            await pace.SpendAsync(0, TimeSpan.Zero, cancel);
        }
    }

    /// <summary>What could not be done may be possible now: a primary was restarting, a replica busy.</summary>
    private async ValueTask RepairLeftAsync(CancellationToken cancel)
    {
        var again = left.ToList();
        left.Clear();
        foreach (var few in again.Chunk(options.ExchangeRepairConcurrency))
        {
            var failed = await TryRepairAsync(few);
            Interlocked.Add(ref notRepaired, failed.Count - few.Length);
            left.AddRange(failed);
            await pace.SpendAsync(0, TimeSpan.Zero, cancel);
        }
    }

    /// <summary>The keys that some replica that is up did not show, or that one did not take.</summary>
    private async ValueTask<IReadOnlyList<ObjectKey>> TryRepairAsync(ObjectKey[] few)
    {
        var plans = await Task.WhenAll(few.Select(key => client.RepairAsync(key, Deadline.After(time, options.ExchangeTimeout))));
        Interlocked.Add(ref repaired, plans.Count(plan => plan is { Repairs.IsEmpty: false, IsDone: true }));
        return [.. few.Where((_, place) => plans[place] is not { IsDone: true })];
    }

    private bool IsDue(ReadOnlyMemory<byte> name)
    {
        if (name.Span.SequenceCompareTo(from.Span) < 0 || (!to.IsEmpty && name.Span.SequenceCompareTo(to.Span) > 0))
        {
            return false;
        }

        var hash = HashOf(name.Span);
        return seen.Count < options.ListMaxRemembered ? seen.Add(hash) : !seen.Contains(hash);
    }

    private static UInt128 HashOf(ReadOnlySpan<byte> name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(name, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    private string ErrorText()
    {
        var texts = new List<string>();
        lock (problems)
        {
            if (problems.Count > 0)
            {
                texts.Add($"partitions that could not be read: {string.Join(", ", problems.Select(problem => $"{problem.Key} ({problem.Value})"))}");
            }
        }

        if (Volatile.Read(ref notRepaired) is > 0 and var keys)
        {
            texts.Add(string.Create(CultureInfo.InvariantCulture, $"{keys} keys are not repaired: a replica did not show them, or did not take them"));
        }

        return string.Join("; ", texts);
    }
}
