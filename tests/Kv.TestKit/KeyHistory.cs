namespace Kv.TestKit;

/// <summary>
/// Every write of one key that was tried, each under a name of its own and with the names that its writer had seen. In the end each acknowledged write has to be
/// present, or be covered by a write that is (or that was covered in turn); and nothing that an acknowledged write covered may be back.
/// </summary>
public sealed class KeyHistory
{
    private readonly Dictionary<string, Write> writes = new(StringComparer.Ordinal);
    private long moments;

    /// <summary>One write that was tried; a delete has a name and no value.</summary>
    public sealed record Write(string Name, IReadOnlySet<string> Seen, bool IsDelete)
    {
        /// <summary>Its writer was told that it stands; else it may stand or not.</summary>
        public bool IsAcknowledged { get; set; }

        /// <summary>Its place among the beginnings and ends of all writes of the key.</summary>
        public long Began { get; init; }

        /// <summary>The same; of one whose writer does not know whether it has ended, later than all.</summary>
        public long Ended { get; internal set; } = long.MaxValue;

        /// <summary>It has no dot, so that whoever merges cannot know whether it was replaced.</summary>
        public bool MayReturn { get; init; }
    }

    public IReadOnlyCollection<Write> Writes => writes.Values;

    /// <summary>For buckets that keep one value: whether the first write may have taken the place of the second, though its writer had not seen that. Null where none may.</summary>
    public Func<Write, Write, bool>? MayReplaceUnseen { get; init; }

    /// <summary>Where what was replaced may be back: only the loss of writes is looked for.</summary>
    public bool ReplacedMayReturn { get; init; }

    public Write Begin(string name, IReadOnlySet<string> seen, bool isDelete, bool mayReturn = false)
    {
        var write = new Write(name, seen, isDelete) { MayReturn = mayReturn, Began = ++moments };
        writes.Add(name, write);
        return write;
    }

    /// <summary>It does nothing any more from now on.</summary>
    public void End(Write write) => write.Ended = ++moments;

    /// <summary>What is wrong with a final state that shows these names; empty where the promise was kept.</summary>
    public IReadOnlyList<string> Violations(IReadOnlySet<string> present)
    {
        var kept = Explained(present);
        var acknowledged = writes.Values.Where(write => write.IsAcknowledged).ToArray();
        return
        [
            .. present.Where(name => !writes.ContainsKey(name)).Select(name => $"{name} is there, which nobody wrote"),
            .. acknowledged.Where(write => !kept.Contains(write.Name)).Select(write => $"the acknowledged write {write.Name} is lost; present are [{string.Join(", ", present)}]"),
            .. acknowledged.SelectMany(write => write.Seen.Where(name => present.Contains(name) && !MayReturn(name)).Select(back => $"{back} is back, which {write.Name} had replaced")),
        ];
    }

    private bool MayReturn(string name) => ReplacedMayReturn || writes.TryGetValue(name, out var write) && write.MayReturn;

    /// <summary>Those of the writes that a reader who was shown these names should have been told of, and was not.</summary>
    public IEnumerable<string> Missing(IReadOnlyCollection<string> expected, IReadOnlySet<string> present)
    {
        var kept = expected.Count == 0 ? [] : Explained(present);
        return expected.Where(name => !kept.Contains(name));
    }

    /// <summary>
    /// What is there, and what that had covered, and so on. A delete leaves no value to look for: that it was tried is enough to explain what is
    /// gone, and what it may have taken too much of is checked from the other side.
    /// </summary>
    private HashSet<string> Explained(IReadOnlySet<string> present)
    {
        var kept = new HashSet<string>(StringComparer.Ordinal);
        var unexplained = MayReplaceUnseen is null ? [] : writes.Values.ToList();
        var open = new Stack<string>(present.Concat(writes.Values.Where(write => write.IsDelete).Select(write => write.Name)));
        while (open.TryPop(out var name))
        {
            if (kept.Add(name) && writes.TryGetValue(name, out var write))
            {
                foreach (var covered in write.Seen)
                {
                    open.Push(covered);
                }

                unexplained.RemoveAll(other => Replaces(write, other, open));
            }
        }

        return kept;
    }

    private bool Replaces(Write write, Write other, Stack<string> open)
    {
        if (!MayReplaceUnseen!(write, other))
        {
            return false;
        }

        open.Push(other.Name);
        return true;
    }
}
