using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Kv.Chaos.Load;
using Kv.Chaos.Rings;
using Kv.Core.Objects;

namespace Kv.Chaos.Checks;

/// <summary>
/// Whether indexes show what is there: of each bucket of ordered keys, at rest and before anybody reads a key, each member in turn is asked for all terms and for all keys. Both are held against what the
/// keys then turn out to hold. For many threads.
/// </summary>
internal sealed class IndexCheck
{
    /// <summary>The field of the entries: a value has one, whose term is its name.</summary>
    public const string Field = "write_bin";

    /// <summary>Riak's name for the index of all keys by their names.</summary>
    private const string Keys = "$key";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly ConcurrentDictionary<string, bool> withoutEntry = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> unanswered = [];
    private readonly List<Answer> answers = [];

    /// <summary>Entries that queries of terms showed, over all members.</summary>
    public int Entries => answers.Where(answer => !answer.IsOfKeys).Sum(answer => answer.Shown.Count);

    /// <summary>What one query of a bucket showed: terms with their keys; or keys, each as its own term.</summary>
    internal sealed record Answer(string Type, string Bucket, bool IsOfKeys, string By, IReadOnlyList<(string Term, string Key)> Shown);

    /// <summary>What goes with a value of this key: null for a bucket that has no index.</summary>
    public static string? TermOf(ObjectKey key, string name) => BucketTypes.IsOrdered(key.BucketType) ? name : null;

    /// <summary>A value is written by a client that gives no entries.</summary>
    public void WritesWithoutEntry(string name) => withoutEntry[name] = true;

    /// <param name="keys">Of any type.</param>
    /// <param name="http">Goes to the members in turn.</param>
    /// <param name="members">How many there are.</param>
    public async Task AskAsync(IEnumerable<ObjectKey> keys, HttpDoor http, int members)
    {
        var buckets = keys.Where(key => BucketTypes.IsOrdered(key.BucketType)).Select(key => (key.BucketType, Bucket: Text(key.Bucket))).Distinct().Order().ToList();
        foreach (var (type, bucket) in buckets)
        {
            for (var asked = 0; asked < members; asked++)
            {
                await AskAsync(type, bucket, isOfKeys: false, () => http.EntriesAsync(type, bucket, Field));
                await AskAsync(type, bucket, isOfKeys: true, () => http.EntriesAsync(type, bucket, Keys));
            }
        }
    }

    public void Note(Answer answer) => answers.Add(answer);

    /// <summary>What is wrong with the answers.</summary>
    /// <param name="held">What each key holds; null for one that could not be read, which another check tells.</param>
    public IReadOnlyList<string> Problems(IReadOnlyCollection<(ObjectKey Key, IReadOnlySet<string>? Values)> held)
    {
        var byBucket = held.Where(one => BucketTypes.IsOrdered(one.Key.BucketType)).ToLookup(one => (one.Key.BucketType, Text(one.Key.Bucket)), one => (Key: Text(one.Key.Key), one.Values));
        return
        [
            .. unanswered,
            .. answers.SelectMany(answer => Differences(answer, [.. byBucket[(answer.Type, answer.Bucket)]])).Distinct(),
            .. answers.Count == 0 ? ["no index was asked"] : Array.Empty<string>(),
        ];
    }

    private static string Text(ReadOnlyMemory<byte> name) => Encoding.UTF8.GetString(name.Span);

    private IEnumerable<string> Differences(Answer answer, List<(string Key, IReadOnlySet<string>? Values)> held)
    {
        var unread = held.Where(one => one.Values is null).Select(one => one.Key).ToHashSet(StringComparer.Ordinal);
        var expected = held.Where(one => one.Values is { Count: > 0 }).SelectMany(one => answer.IsOfKeys
            ? [(Term: one.Key, one.Key)]
            : one.Values!.Where(value => !withoutEntry.ContainsKey(value)).Select(value => (Term: value, one.Key))).ToHashSet();
        var shown = answer.Shown.Where(entry => !unread.Contains(entry.Key)).ToHashSet();
        var what = $"{answer.Type}/{answer.Bucket}, asked {answer.By} for {(answer.IsOfKeys ? "keys" : "terms")}";
        return
        [
            .. expected.Except(shown).Select(entry => $"{what}: {entry.Term} of {entry.Key} is there and not shown"),
            .. shown.Except(expected).Select(entry => $"{what}: {entry.Term} of {entry.Key} is shown and not there"),
            .. answer.Shown.GroupBy(entry => entry).Where(entry => entry.Count() > 1).Select(entry => $"{what}: {entry.Key.Term} of {entry.Key.Key} is shown {entry.Count()} times"),
        ];
    }

    private async Task AskAsync(string type, string bucket, bool isOfKeys, Func<Task<(IReadOnlyList<(string Term, string Key)> Shown, string By)>> ask)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                var (shown, by) = await ask();
                Note(new Answer(type, bucket, isOfKeys, by, shown));
                return;
            }
            catch (DoorException failure) when (failure.IsRetryable && watch.Elapsed < Patience)
            {
                await Waits.ForAsync(TimeSpan.FromMilliseconds(500), CancellationToken.None);
            }
            catch (DoorException failure)
            {
                unanswered.Enqueue($"{type}/{bucket} cannot be asked for {(isOfKeys ? "keys" : "terms")}: {failure.Message}");
                return;
            }
        }
    }
}
