using System.Text.Json.Nodes;

namespace Kv.Kubectl.Import;

/// <summary>How many keys of a bucket have met which fate. Safe for any number of callers.</summary>
internal sealed class ImportTally
{
    private readonly long[] counts = new long[Enum.GetValues<KeyFate>().Length];

    public long this[KeyFate fate] => Interlocked.Read(ref counts[(int)fate]);

    /// <summary>All that have met theirs.</summary>
    public long Done => Enum.GetValues<KeyFate>().Sum(fate => this[fate]);

    public void Add(KeyFate fate) => Interlocked.Increment(ref counts[(int)fate]);

    public void Add(ImportTally other)
    {
        foreach (var fate in Enum.GetValues<KeyFate>())
        {
            Interlocked.Add(ref counts[(int)fate], other[fate]);
        }
    }

    /// <summary><c>{"copied":3,…}</c>, by the names of <see cref="KeyFate"/>.</summary>
    public JsonObject ToJson() => new(Enum.GetValues<KeyFate>().Select(fate => KeyValuePair.Create(NameOf(fate), (JsonNode?)this[fate])));

    public static ImportTally Of(JsonObject json)
    {
        var tally = new ImportTally();
        foreach (var fate in Enum.GetValues<KeyFate>())
        {
            tally.counts[(int)fate] = json[NameOf(fate)]!.GetValue<long>();
        }

        return tally;
    }

    public static string NameOf(KeyFate fate) => fate.ToString().ToLowerInvariant();
}
