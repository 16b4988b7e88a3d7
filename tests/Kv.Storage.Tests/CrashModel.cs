using System.Collections.Immutable;

namespace Kv.Storage.Tests;

/// <summary>What stores must hold: the acknowledged changes, and with or without it the one change under way.</summary>
internal sealed class CrashModel
{
    private static readonly ImmutableDictionary<int, ImmutableDictionary<string, byte[]>> Nothing = ImmutableDictionary<int, ImmutableDictionary<string, byte[]>>.Empty;

    private volatile View view = new(Nothing, Nothing);

    public View Look() => view;

    /// <summary>A change begins: of a key (null value: removed), or without a key the whole partition's drop.</summary>
    public void Begin(int partition, string? key, byte[]? value)
    {
        if (key is null)
        {
            view = new View(view.Known, view.Known.Remove(partition));
            return;
        }

        Begin(partition, [(key, value)]);
    }

    /// <summary>A change of several keys begins, which happens whole or not at all.</summary>
    public void Begin(int partition, IEnumerable<(string Key, byte[]? Value)> changes)
    {
        var after = view.Known.GetValueOrDefault(partition, ImmutableDictionary<string, byte[]>.Empty);
        foreach (var (key, value) in changes)
        {
            after = value is null ? after.Remove(key) : after.SetItem(key, value);
        }

        view = new View(view.Known, view.Known.SetItem(partition, after));
    }

    public void Acknowledge() => view = new View(view.Next, view.Next);

    /// <summary>It was refused: nothing is changed.</summary>
    public void Refuse() => view = new View(view.Known, view.Known);

    /// <summary>The state before the change under way and the one after it.</summary>
    internal sealed record View(
        ImmutableDictionary<int, ImmutableDictionary<string, byte[]>> Known, ImmutableDictionary<int, ImmutableDictionary<string, byte[]>> Next)
    {
        public bool Allows(int partition, Dictionary<string, byte[]> found) => IsSame(Known, partition, found) || IsSame(Next, partition, found);

        public string Difference(int partition, Dictionary<string, byte[]> found) => $"beside what is known {Difference(Known, partition, found)}; beside what was under way {Difference(Next, partition, found)}";

        private static string Difference(
            ImmutableDictionary<int, ImmutableDictionary<string, byte[]>> all, int partition, Dictionary<string, byte[]> found)
        {
            var expected = all.GetValueOrDefault(partition, ImmutableDictionary<string, byte[]>.Empty);
            var missing = expected.Keys.Except(found.Keys);
            var invented = found.Keys.Except(expected.Keys);
            var other = expected.Keys.Intersect(found.Keys).Where(key => !expected[key].AsSpan().SequenceEqual(found[key]));
            return $"missing: {string.Join(", ", missing)}, invented: {string.Join(", ", invented)}, other values: {string.Join(", ", other)}";
        }

        private static bool IsSame(ImmutableDictionary<int, ImmutableDictionary<string, byte[]>> all, int partition, Dictionary<string, byte[]> found)
        {
            var expected = all.GetValueOrDefault(partition, ImmutableDictionary<string, byte[]>.Empty);
            return expected.Count == found.Count && expected.All(pair => found.TryGetValue(pair.Key, out var value) && pair.Value.AsSpan().SequenceEqual(value));
        }
    }
}
