using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Kv.Client;
using Kv.Core.Objects;
using Kv.Core.Quorum;

namespace Kv.EndToEnd.Local;

/// <summary>
/// Remembers every write that was acknowledged, and checks afterwards that each is there. Writers put new keys, and each keeps one key of its own that it counts
/// up by read-modify-write with the context of its last write, so that a lost update shows too. Readers look for acknowledged keys meanwhile.
/// </summary>
internal sealed class WriteLedger(string bucketType, string bucket)
{
    private const int MaxAttempts = 10;

    /// <summary>All owners of a key, and nobody else, have it.</summary>
    private static readonly GetOptions OwnersAlone = new() { Pr = QuorumValue.All, R = QuorumValue.All, NotFoundOk = false, SloppyQuorum = false };

    private readonly ConcurrentDictionary<string, string> _acknowledged = new();
    private readonly ConcurrentDictionary<int, long> _counts = new();
    private readonly ConcurrentDictionary<string, int> _faults = new();
    private readonly ConcurrentDictionary<string, int> _refusals = new();
    private readonly ConcurrentDictionary<string, int> _uncertain = new();
    private int _lastKey;
    private int _found;

    public int Acknowledged => _acknowledged.Count;

    /// <summary>Reads by readers that found what was acknowledged.</summary>
    public int Found => Volatile.Read(ref _found);

    /// <summary>What must not happen while the load runs, and how often it did: refusals that a client may not try again, and acknowledged keys that a read did not find.</summary>
    public IReadOnlyDictionary<string, int> Faults => _faults;

    /// <summary>What may be tried again, and how often it was answered.</summary>
    public IReadOnlyDictionary<string, int> Refusals => _refusals;

    /// <summary>Those of <see cref="Refusals"/> that are no refusals: answered too late, or nobody knows whether the write was done. Where no node dies there are none.</summary>
    public IReadOnlyDictionary<string, int> Uncertain => _uncertain;

    /// <summary>Writes until so many keys are acknowledged, or until cancelled.</summary>
    /// <param name="pause">Of each writer after each write: what a long load wrote is read in the end.</param>
    public Task WriteAsync(KvClusterClient client, int writers, int untilAcknowledged, CancellationToken stop, TimeSpan pause = default) =>
        Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => WriteAsOneAsync(client, writer, untilAcknowledged, pause, stop), CancellationToken.None)));

    /// <summary>Reads acknowledged keys, any of them, until cancelled.</summary>
    public Task ReadAsync(KvClusterClient client, int readers, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, readers).Select(reader => Task.Run(() => ReadAsOneAsync(client, new Random(reader), stop), CancellationToken.None)));

    /// <summary>Reads every acknowledged key; returns what is missing or wrong. A read may meet a node that is just going; it is tried a few times.</summary>
    public Task<IReadOnlyList<string>> VerifyAsync(KvClusterClient client, CancellationToken cancel) => VerifyAsync(client, options: null, failure => failure.IsRetryable, cancel);

    /// <summary>
    /// Reads every acknowledged key of all its owners, each of which must have it. Each is asked for once: a first read that finds an owner without the value has it
    /// repaired, and a second would find nothing wrong. Only what was refused before any replica was asked is tried again.
    /// </summary>
    public async Task<IReadOnlyList<string>> VerifyOwnersAsync(LocalRun run, CancellationToken cancel)
    {
        await using var client = await run.ConnectAsync(cancel, attempts: 1);
        return await VerifyAsync(client, OwnersAlone, failure => failure.Code is KvErrorCode.Overload or KvErrorCode.NotReady, cancel);
    }

    /// <summary>Reads every acknowledged key of all its owners, after repairs: two of three have had a write that was acknowledged, and a node that was just going need not have been the third.</summary>
    public Task<IReadOnlyList<string>> VerifyRepairedOwnersAsync(KvClusterClient client, CancellationToken cancel) =>
        VerifyAsync(client, OwnersAlone, failure => failure.IsRetryable, cancel);

    private async Task<IReadOnlyList<string>> VerifyAsync(KvClusterClient client, GetOptions? options, Func<KvException, bool> mayTryAgain, CancellationToken cancel)
    {
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(_acknowledged, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancel }, async (write, token) =>
        {
            if (await ProblemAsync(client, write.Key, IsValue(write.Value), options, mayTryAgain, token) is { } problem)
            {
                wrong.Add(problem);
            }
        });
        foreach (var (writer, count) in _counts)
        {
            bool IsRecent(string value) => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var held) && held >= count;
            if (await ProblemAsync(client, CounterKey(writer), value => IsRecent(value) ? null : $"is {value}, and {count} was acknowledged", options, mayTryAgain, cancel) is { } problem)
            {
                wrong.Add(problem);
            }
        }

        return [.. wrong];
    }

    private static string CounterKey(int writer) => $"counter-{writer}";

    private static Func<string, string?> IsValue(string expected) => value => value == expected ? null : $"is {value}, not {expected}";

    private async Task WriteAsOneAsync(KvClusterClient client, int writer, int untilAcknowledged, TimeSpan pause, CancellationToken stop)
    {
        ReadOnlyMemory<byte> context = default;
        for (var turn = 0L; !stop.IsCancellationRequested && _acknowledged.Count < untilAcknowledged; turn++)
        {
            await Task.Delay(pause, CancellationToken.None);
            try
            {
                if (turn % 10 == 9)
                {
                    context = await CountAsync(client, writer, turn, context);
                    continue;
                }

                var key = $"write-{Interlocked.Increment(ref _lastKey)}";
                var value = $"{key} of {writer}";
                await client.PutAsync(Key(key), new KvValue(Encoding.UTF8.GetBytes(value)), cancel: CancellationToken.None);
                _acknowledged[key] = value;
            }
            catch (KvException failure)
            {
                await NoteAsync(failure);
            }
        }
    }

    private async Task ReadAsOneAsync(KvClusterClient client, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            // A number whose write failed, or is on its way, is passed over.
            var key = $"write-{random.Next(1, Volatile.Read(ref _lastKey) + 1)}";
            if (!_acknowledged.TryGetValue(key, out var value))
            {
                continue;
            }

            try
            {
                if (Problem(key, await client.GetAsync(Key(key), cancel: CancellationToken.None), IsValue(value)) is { } problem)
                {
                    Fault(problem);
                }
                else
                {
                    Interlocked.Increment(ref _found);
                }
            }
            catch (KvException failure)
            {
                await NoteAsync(failure);
            }
        }
    }

    private async Task<ReadOnlyMemory<byte>> CountAsync(KvClusterClient client, int writer, long turn, ReadOnlyMemory<byte> context)
    {
        var value = new KvValue(Encoding.UTF8.GetBytes(turn.ToString(CultureInfo.InvariantCulture)));
        var result = await client.PutAsync(Key(CounterKey(writer)), value, new PutOptions { Context = context, ReturnHead = true }, CancellationToken.None);
        _counts[writer] = turn;
        return result.Object!.Context;
    }

    private async Task NoteAsync(KvException failure)
    {
        var what = $"{failure.Code}: {failure.Message}";
        Count(failure.IsRetryable ? _refusals : _faults, what);
        if (failure.IsIndeterminate || failure.Code == KvErrorCode.Timeout)
        {
            Count(_uncertain, what);
        }

        await Task.Delay(20, CancellationToken.None);
    }

    private void Fault(string what) => Count(_faults, what);

    private static void Count(ConcurrentDictionary<string, int> counts, string what) => counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    private async Task<string?> ProblemAsync(
        KvClusterClient client, string key, Func<string, string?> check, GetOptions? options, Func<KvException, bool> mayTryAgain, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Problem(key, await client.GetAsync(Key(key), options, cancel), check);
            }
            catch (KvException failure) when (mayTryAgain(failure) && attempt < MaxAttempts)
            {
                await Task.Delay(100 * attempt, cancel);
            }
            catch (KvException failure)
            {
                return $"{key} cannot be read: {failure.Message}";
            }
        }
    }

    private static string? Problem(string key, GetResult result, Func<string, string?> check) => result switch
    {
        GetResult.Found found when found.Object.Siblings.Any(sibling => check(Text(sibling)) is null) => null,
        GetResult.Found found => $"{key} {check(Text(found.Object.Siblings[0]))}",
        _ => $"{key} is missing",
    };

    private static string Text(KvSibling sibling) => Encoding.UTF8.GetString(sibling.Content.Value.Span);

    private ObjectKey Key(string key) => new(bucketType, bucket, key);
}
