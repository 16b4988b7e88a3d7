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
    private int read;
    private int found;

    public int KeysRead => read;

    public int KeysFound => found;

    /// <summary>Keys that some owner lacked, though others had them: what a replica refused or missed while the others took it, until anti-entropy or a read mends it.</summary>
    public IReadOnlyCollection<string> Incomplete => incomplete;

    /// <param name="clockError">Seconds by which two coordinators' clocks may have differed.</param>
    public async Task<IReadOnlyList<string>> RunAsync(double clockError)
    {
        await EachAsync(workload.SiblingKeys, key => key.Key, (key, values) => key.Violations(values));
        await EachAsync(workload.SingleKeys, key => key.Key, (key, values) => key.Violations(values, clockError));
        return [.. problems];
    }

    private Task EachAsync<T>(IReadOnlyList<T> keys, Func<T, ObjectKey> keyOf, Func<T, IReadOnlySet<string>, IReadOnlyList<string>> violations) =>
        Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (key, _) =>
        {
            var name = keyOf(key);
            if (await ReadAsync(name, mustBeOnAll: true) is not { } onAll || await ReadAsync(name, mustBeOnAll: false) is not { } together)
            {
                return;
            }

            Interlocked.Increment(ref read);
            Interlocked.Add(ref found, together.Count > 0 ? 1 : 0);
            if (onAll.Count == 0 && together.Count > 0)
            {
                incomplete.Enqueue($"{name}");
            }

            foreach (var violation in violations(key, together))
            {
                problems.Enqueue($"{name}: {violation}");
            }
        });

    private async Task<IReadOnlySet<string>?> ReadAsync(ObjectKey key, bool mustBeOnAll)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return (await client.GetFromOwnersAsync(key, mustBeOnAll)).Values;
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
