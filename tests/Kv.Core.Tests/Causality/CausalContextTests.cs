using CsCheck;
using Kv.Core.Causality;
using Kv.Core.Rings;
using Kv.Core.Tests.Objects;
using Xunit;

namespace Kv.Core.Tests.Causality;

public sealed class CausalContextTests
{
    [Fact]
    public void EmptyToken_MeansNothingSeen()
    {
        Assert.Empty(CausalContext.Encode(VersionVector.Empty));
        Assert.True(CausalContext.TryDecode([], out var clock, out _));
        Assert.True(clock.IsEmpty);
    }

    [Fact]
    public void AnyClock_ComesBackAsItWas() =>
        ObjectGen.Clock.Sample(clock =>
        {
            Assert.True(CausalContext.TryDecode(CausalContext.Encode(clock), out var decoded, out var reason), reason);
            Assert.Equal(clock, decoded);
        });

    [Fact]
    public void TokenWithAnyBitFlipped_IsRefused() =>
        Gen.Select(ObjectGen.Clock.Where(clock => !clock.IsEmpty), Gen.Int[0, 10_000], Gen.Int[0, 7]).Sample((clock, at, bit) =>
        {
            var token = CausalContext.Encode(clock);
            token[at % token.Length] ^= (byte)(1 << bit);
            Assert.False(CausalContext.TryDecode(token, out var decoded, out var reason));
            Assert.True(decoded.IsEmpty);
            Assert.NotEmpty(reason);
        });

    [Fact]
    public void TokenCutShort_IsRefused()
    {
        var token = CausalContext.Encode(VersionVector.Empty.Increment(new ActorId(new NodeId(7), new PartitionId(3), 1), 12, 99));
        for (var length = 1; length < token.Length; length++)
        {
            Assert.False(CausalContext.TryDecode(token.AsSpan(0, length), out _, out _));
        }
    }

    [Fact]
    public void AnyBytes_AreReadOrRefused_NeverThrow() =>
        Gen.Byte.Array[1, 80].Sample(bytes =>
        {
            bytes[0] = 1;
            Assert.Equal(CausalContext.TryDecode(bytes, out _, out var reason), reason.Length == 0);
        });

    [Fact]
    public void TokenOfAnotherVersionOrTooLong_SaysSo()
    {
        Assert.False(CausalContext.TryDecode([9, 1, 2, 3, 4, 5], out _, out var version));
        Assert.Contains("version 9", version, StringComparison.Ordinal);
        Assert.False(CausalContext.TryDecode(new byte[CausalContext.MaxBytes + 1], out _, out var length));
        Assert.Contains("longest", length, StringComparison.Ordinal);
    }

    [Fact]
    public void ClockPastTheBound_IsCutToItsNewest()
    {
        var clock = VersionVector.FromEntries(Enumerable.Range(1, CausalContext.MaxEntries + 5)
            .Select(i => new ClockEntry(new ActorId(new NodeId((ulong)i), new PartitionId(0), 0), 1, (uint)i)));
        Assert.True(CausalContext.TryDecode(CausalContext.Encode(clock), out var decoded, out var reason), reason);
        Assert.Equal(CausalContext.MaxEntries, decoded.Entries.Length);
        Assert.True(clock.Dominates(decoded));
        Assert.Equal(6u, decoded.Entries.Min(entry => entry.UnixSeconds));
    }
}
