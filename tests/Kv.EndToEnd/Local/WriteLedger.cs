using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Kv.Client;
using Kv.Core.Objects;

namespace Kv.EndToEnd.Local;

/// <summary>
/// Remembers every write that was acknowledged, and checks afterwards that each is there. Writers put new keys, and each keeps one key of its own that it counts
/// up by read-modify-write with the context of its last write, so that a lost update shows too.
/// </summary>
internal sealed class WriteLedger(string bucketType, string bucket)
{
    private readonly ConcurrentDictionary<string, string> _acknowledged = new();
    private readonly ConcurrentDictionary<int, long> _counts = new();
    private readonly ConcurrentDictionary<string, int> _failures = new();
    private int _lastKey;

    public int Acknowledged => _acknowledged.Count;

    /// <summary>Failed operations by what they said.</summary>
    public IReadOnlyDictionary<string, int> Failures => _failures;

    /// <summary>Writes until so many keys are acknowledged, or until cancelled.</summary>
    public Task WriteAsync(KvClusterClient client, int writers, int untilAcknowledged, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => WriteAsOneAsync(client, writer, untilAcknowledged, stop), CancellationToken.None)));

    /// <summary>Reads every acknowledged key, with the given options; returns what is missing or wrong.</summary>
    public async Task<IReadOnlyList<string>> VerifyAsync(KvClusterClient client, CancellationToken cancel, GetOptions? options = null)
    {
        var wrong = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(_acknowledged, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancel }, async (write, token) =>
        {
            if (await ProblemAsync(client, write.Key, value => value == write.Value ? null : $"is {value}, not {write.Value}", options, token) is { } problem)
            {
                wrong.Add(problem);
            }
        });
        foreach (var (writer, count) in _counts)
        {
            bool IsRecent(string value) => long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var held) && held >= count;
            if (await ProblemAsync(client, CounterKey(writer), value => IsRecent(value) ? null : $"is {value}, and {count} was acknowledged", options, cancel) is { } problem)
            {
                wrong.Add(problem);
            }
        }

        return [.. wrong];
    }

    private static string CounterKey(int writer) => $"counter-{writer}";

    private async Task WriteAsOneAsync(KvClusterClient client, int writer, int untilAcknowledged, CancellationToken stop)
    {
        ReadOnlyMemory<byte> context = default;
        for (var turn = 0L; !stop.IsCancellationRequested && _acknowledged.Count < untilAcknowledged; turn++)
        {
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
                _failures.AddOrUpdate($"{failure.Code}{(failure.IsRetryable ? " (retryable)" : "")}: {failure.Message}", 1, (_, count) => count + 1);
                await Task.Delay(20, CancellationToken.None);
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

    /// <summary>A read may meet a node that is just going; it is tried a few times. What stays wrong is wrong.</summary>
    private async Task<string?> ProblemAsync(KvClusterClient client, string key, Func<string, string?> check, GetOptions? options, CancellationToken cancel)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                switch (await client.GetAsync(Key(key), options, cancel))
                {
                    case GetResult.Found found when found.Object.Siblings.Any(sibling => check(Text(sibling)) is null):
                        return null;
                    case GetResult.Found found:
                        return $"{key} {check(Text(found.Object.Siblings[0]))}";
                    default:
                        return $"{key} is missing";
                }
            }
            catch (KvException failure) when (failure.IsRetryable && attempt < 10)
            {
                await Task.Delay(100 * attempt, cancel);
            }
            catch (KvException failure)
            {
                return $"{key} cannot be read: {failure.Message}";
            }
        }
    }

    private static string Text(KvSibling sibling) => Encoding.UTF8.GetString(sibling.Content.Value.Span);

    private ObjectKey Key(string key) => new(bucketType, bucket, key);
}
