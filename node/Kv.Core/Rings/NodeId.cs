using System.Globalization;

namespace Kv.Core.Rings;

/// <summary>
/// Who a node is: 64 random bits that were drawn once and live in a file on the node's volume. Never an address and never a
/// pod's name, so that a node with a lost volume is another node. Written as 16 hexadecimal digits.
/// </summary>
public readonly record struct NodeId(ulong Value) : IComparable<NodeId>
{
    /// <summary>No node: what an unowned partition or an unset field holds.</summary>
    public static NodeId None => default;

    public static bool TryParse(ReadOnlySpan<char> text, out NodeId id)
    {
        var ok = ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && text.Length == 16;
        id = ok ? new NodeId(value) : None;
        return ok;
    }

    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);

    public static bool operator <(NodeId left, NodeId right) => left.Value < right.Value;

    public static bool operator <=(NodeId left, NodeId right) => left.Value <= right.Value;

    public static bool operator >(NodeId left, NodeId right) => left.Value > right.Value;

    public static bool operator >=(NodeId left, NodeId right) => left.Value >= right.Value;
}
