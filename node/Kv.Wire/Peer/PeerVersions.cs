using System.Globalization;

namespace Kv.Wire.Peer;

/// <summary>
/// The versions of the peer protocol that a node speaks, both ends included. Two nodes speak the newest that both know, stream by stream; a release speaks
/// what the one before it spoke, so that a ring is upgraded node by node, and back.
/// </summary>
public readonly record struct PeerVersions(byte Oldest, byte Newest)
{
    /// <summary>What this program speaks. A new layout of any message is a new version, and the one before it stays until the release after.</summary>
    public static PeerVersions Spoken { get; } = new(1, WithLongMessages);

    /// <summary>The first version that sends a long message in pieces: whoever gets it sees how long it is before it has room for it.</summary>
    public const byte WithLongMessages = 2;

    /// <summary>The newest that both speak; null where there is none.</summary>
    public byte? Agree(PeerVersions other)
    {
        var newest = Math.Min(Newest, other.Newest);
        return newest >= Oldest && newest >= other.Oldest ? newest : null;
    }

    public bool Includes(byte version) => version >= Oldest && version <= Newest;

    public override string ToString() => Oldest == Newest
        ? string.Create(CultureInfo.InvariantCulture, $"{Newest}")
        : string.Create(CultureInfo.InvariantCulture, $"{Oldest} to {Newest}");
}
