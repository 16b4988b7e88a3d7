using CsCheck;
using Kv.Wire.Peer;
using Xunit;

namespace Kv.Wire.Tests.Peer;

public sealed class PeerVersionsTests
{
    private static readonly Gen<PeerVersions> AnyRange = Gen.Select(Gen.Byte[1, 9], Gen.Byte[0, 4]).Select(pair => new PeerVersions(pair.Item1, (byte)(pair.Item1 + pair.Item2)));

    [Fact]
    public void Agree_IsTheNewestThatBothSpeak_WhoeverAsks() => Gen.Select(AnyRange, AnyRange).Sample((one, other) =>
    {
        var both = Enumerable.Range(1, 20).Where(version => one.Includes((byte)version) && other.Includes((byte)version)).ToList();
        Assert.Equal(both.Count == 0 ? null : (byte?)both[^1], one.Agree(other));
        Assert.Equal(one.Agree(other), other.Agree(one));
    });

    [Fact]
    public void Text_NamesTheNumbers() => Assert.Equal(("3", "1 to 3"), (new PeerVersions(3, 3).ToString(), new PeerVersions(1, 3).ToString()));
}
