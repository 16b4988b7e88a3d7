using Kv.Core.Objects;

namespace Kv.Chaos.Load;

/// <summary>
/// A set that many add to and remove from. Each member is added once, so that what was acknowledged last of it decides: added and not removed it is there, removed by one who had
/// seen it it never comes back, and what has an unknown fate may be either. For many threads.
/// </summary>
internal sealed class SetKey(ObjectKey key)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Member> members = new(StringComparer.Ordinal);

    public ObjectKey Key => key;

    /// <summary>How many updates were acknowledged.</summary>
    public int Acknowledged { get; private set; }

    private sealed class Member
    {
        public bool IsAdded { get; set; }

        public bool IsRemovalTried { get; set; }

        public bool IsRemoved { get; set; }
    }

    public void BeginAdd(string member)
    {
        lock (gate)
        {
            members.Add(member, new Member());
        }
    }

    public void AcknowledgeAdd(string member)
    {
        lock (gate)
        {
            members[member].IsAdded = true;
            Acknowledged++;
        }
    }

    /// <summary>By one who has seen the member.</summary>
    public void BeginRemove(string member)
    {
        lock (gate)
        {
            Of(member).IsRemovalTried = true;
        }
    }

    /// <inheritdoc cref="BeginRemove"/>
    public void AcknowledgeRemove(string member)
    {
        lock (gate)
        {
            Of(member).IsRemoved = true;
            Acknowledged++;
        }
    }

    /// <summary>Members that nobody added.</summary>
    public IReadOnlyList<string> Strangers(IEnumerable<string> shown)
    {
        lock (gate)
        {
            return [.. shown.Where(member => !members.ContainsKey(member))];
        }
    }

    public IReadOnlyList<string> Violations(IReadOnlySet<string> present)
    {
        lock (gate)
        {
            return
            [
                .. present.Where(name => !members.ContainsKey(name)).Select(name => $"has {name}, which nobody added"),
                .. members.Where(pair => pair.Value is { IsAdded: true, IsRemovalTried: false } && !present.Contains(pair.Key)).Select(pair => $"has no {pair.Key}, whose addition was acknowledged and which nobody removed"),
                .. members.Where(pair => pair.Value.IsRemoved && present.Contains(pair.Key)).Select(pair => $"has {pair.Key} again, whose removal was acknowledged"),
            ];
        }
    }

    /// <summary>A stranger, which a read showed, may be removed too.</summary>
    private Member Of(string name) => members.GetValueOrDefault(name) ?? new Member();
}
