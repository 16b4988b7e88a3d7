using System.Collections.Concurrent;
using System.Diagnostics;
using Kv.Chaos.Load;
using Kv.Core.Objects;

namespace Kv.Chaos.Checks;

/// <summary>
/// Reads every key from all of its owners, and nobody else, twice: first whether each of them has it, then what they have together, which is held against what was
/// acknowledged. The first read mends what it finds missing, so that nothing of it is hidden by the order.
/// </summary>
internal sealed class DataCheck(Workload workload, ClientDoor client)
{
    private const int AtOnce = 16;

    /// <summary>On a machine that is busy with other things nodes take each other for down now and then.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly ConcurrentQueue<string> problems = [];
    private readonly ConcurrentQueue<string> incomplete = [];
    private readonly ConcurrentQueue<(ObjectKey Key, IReadOnlySet<string>? Values)> held = [];
    private int read;
    private int found;

    public int KeysRead => read;

    public int KeysFound => found;

    /// <summary>Keys that some owner lacked, though others had them.</summary>
    public IReadOnlyCollection<string> Incomplete => incomplete;

    /// <summary>What each key with siblings or one value holds; null for one that could not be read.</summary>
    public IReadOnlyCollection<(ObjectKey Key, IReadOnlySet<string>? Values)> Held => held;

    /// <param name="clockError">Seconds by which two coordinators' clocks may have differed.</param>
    public async Task<IReadOnlyList<string>> RunAsync(double clockError)
    {
        await EachAsync(workload.SiblingKeys, key => key.Key, (key, values) => key.Violations(values));
        await EachAsync(workload.SingleKeys, key => key.Key, (key, values) => key.Violations(values, clockError));
        await EachAsync(workload.Counters, async key => Report(key.Key, await ReadAsync(key.Key, async () => key.Violations(await client.CountFromOwnersAsync(key.Key)))));
        await EachAsync(workload.Sets, async key => Report(key.Key, await ReadAsync(key.Key, async () => key.Violations((await client.MembersFromOwnersAsync(key.Key)).Values))));
        return [.. problems];
    }

    private static Task EachAsync<T>(IReadOnlyList<T> keys, Func<T, Task> check) =>
        Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (key, _) => await check(key));

    private Task EachAsync<T>(IReadOnlyList<T> keys, Func<T, ObjectKey> keyOf, Func<T, IReadOnlySet<string>, IReadOnlyList<string>> violations) =>
        EachAsync(keys, async key =>
        {
            var name = keyOf(key);
            if (await ReadAsync(name, Values(mustBeOnAll: true)) is not { } onAll || await ReadAsync(name, Values(mustBeOnAll: false)) is not { } together)
            {
                held.Enqueue((name, null));
                return;
            }

            Func<Task<IReadOnlySet<string>>> Values(bool mustBeOnAll) => async () => (await client.GetFromOwnersAsync(name, mustBeOnAll)).Values;

            held.Enqueue((name, together));
            Interlocked.Increment(ref read);
            Interlocked.Add(ref found, together.Count > 0 ? 1 : 0);
            if (onAll.Count == 0 && together.Count > 0)
            {
                incomplete.Enqueue($"{name}");
            }

            Report(name, violations(key, together));
        });

    private void Report(ObjectKey key, IReadOnlyList<string>? violations)
    {
        foreach (var violation in violations ?? [])
        {
            problems.Enqueue($"{key}: {violation}");
        }
    }

    /// <summary>Null where it cannot be read, which is a problem of its own.</summary>
    private async Task<T?> ReadAsync<T>(ObjectKey key, Func<Task<T>> readAll)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await readAll();
            }
            catch (DoorException failure) when (failure.IsRetryable && watch.Elapsed < Patience)
            {
                await Waits.ForAsync(TimeSpan.FromMilliseconds(500), CancellationToken.None);
            }
            catch (DoorException failure)
            {
                problems.Enqueue($"{key}: cannot be read from all of its owners: {failure.Message}");
                return null;
            }
        }
    }
}
