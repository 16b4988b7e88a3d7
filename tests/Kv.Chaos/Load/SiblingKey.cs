using Kv.Core.Objects;
using Kv.TestKit;

namespace Kv.Chaos.Load;

/// <summary>A key whose concurrent writes are kept side by side, written by anybody, with its <see cref="KeyHistory"/>. For many threads.</summary>
internal sealed class SiblingKey(ObjectKey key)
{
    private readonly Lock gate = new();
    private readonly KeyHistory history = new();
    private readonly HashSet<string> names = new(StringComparer.Ordinal);
    private readonly List<HashSet<string>> openDeletes = [];
    private readonly Dictionary<string, string> acknowledgements = new(StringComparer.Ordinal);
    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private readonly List<(string Name, double Begun)> onPrimaries = [];

    public ObjectKey Key => key;

    public int Acknowledged
    {
        get
        {
            lock (gate)
            {
                return history.Writes.Count(write => write.IsAcknowledged);
            }
        }
    }

    /// <summary>A put, or a delete with a context: it replaces what its writer had seen.</summary>
    public KeyHistory.Write Begin(string name, IReadOnlySet<string> seen, bool isDelete)
    {
        lock (gate)
        {
            if (!isDelete)
            {
                names.Add(name);
                openDeletes.ForEach(taken => taken.Add(name));
            }

            return history.Begin(name, seen, isDelete);
        }
    }

    /// <summary>A delete without a context takes what its coordinator finds: anything that was begun before it ends may be among that, and nothing has to be.</summary>
    public HashSet<string> BeginBlindDelete(string name)
    {
        lock (gate)
        {
            var mayTake = new HashSet<string>(names, StringComparer.Ordinal);
            openDeletes.Add(mayTake);
            history.Begin(name, mayTake, isDelete: true);
            return mayTake;
        }
    }

    /// <summary>With its fate known nothing new is taken; with its fate unknown it may take effect at any time later.</summary>
    public void EndBlindDelete(HashSet<string> mayTake, bool isFateKnown)
    {
        lock (gate)
        {
            if (isFateKnown)
            {
                openDeletes.Remove(mayTake);
            }
        }
    }

    /// <param name="how">When and by whom: for the one who looks into what was lost.</param>
    public void Acknowledge(KeyHistory.Write write, string how)
    {
        lock (gate)
        {
            write.IsAcknowledged = true;
            acknowledgements[write.Name] = how;
        }
    }

    /// <summary>A write that most of the key's primaries acknowledged: a read of most of them shows it from now on, or what covers it.</summary>
    /// <param name="begun">Seconds of the run.</param>
    public void AcknowledgeOnPrimaries(KeyHistory.Write write, double begun)
    {
        lock (gate)
        {
            onPrimaries.Add((write.Name, begun));
        }
    }

    /// <summary>A write whose condition did not hold: nobody may ever see it.</summary>
    public void Refuse(KeyHistory.Write write)
    {
        lock (gate)
        {
            refused.Add(write.Name);
        }
    }

    /// <summary>What a read of most primaries that begins now has to show.</summary>
    /// <param name="since">Seconds of the run, before which replicas were lost that writes may have counted.</param>
    public IReadOnlyList<string> ExpectedOfPrimaries(double since)
    {
        lock (gate)
        {
            return [.. onPrimaries.Where(write => write.Begun > since).Select(write => write.Name)];
        }
    }

    public IReadOnlyList<string> Missing(IReadOnlyList<string> expected, IReadOnlySet<string> shown)
    {
        lock (gate)
        {
            return [.. history.Missing(expected, shown)];
        }
    }

    /// <summary>Values that nobody wrote here, or that were refused.</summary>
    public IReadOnlyList<string> Strangers(IEnumerable<string> values)
    {
        lock (gate)
        {
            return [.. values.Where(value => !names.Contains(value) || refused.Contains(value))];
        }
    }

    public IReadOnlyList<string> Violations(IReadOnlySet<string> present)
    {
        lock (gate)
        {
            var told = acknowledgements.Where(pair => !present.Contains(pair.Key)).TakeLast(4).Select(pair => $"{pair.Key} {pair.Value}");
            return
            [
                .. history.Violations(present).Select(violation => $"{violation} (acknowledged: {string.Join("; ", told)})"),
                .. refused.Where(present.Contains).Select(name => $"{name} is there, whose condition did not hold"),
            ];
        }
    }
}
