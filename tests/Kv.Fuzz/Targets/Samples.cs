using System.Collections.Immutable;
using System.Text;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Fuzz.Targets;

/// <summary>Values that several targets begin with.</summary>
internal static class Samples
{
    private static readonly ActorId First = new(new NodeId(0x1122334455667788), new PartitionId(3), 1);
    private static readonly ActorId Second = new(new NodeId(0x99aabbccddeeff01), new PartitionId(5), 2);

    public static Dot Dot { get; } = new(First, 17);

    public static VersionVector Clock { get; } = VersionVector.FromEntries([new ClockEntry(First, 17, 1_700_000_000), new ClockEntry(Second, 4, 1_700_000_001)]);

    public static IReadOnlyList<VersionVector> Clocks { get; } =
        [VersionVector.Empty, VersionVector.FromEntries([new ClockEntry(First, 1, 0)]), Clock, VersionVector.FromEntries([new ClockEntry(Second, ulong.MaxValue, uint.MaxValue)])];

    public static KvObject Object { get; } = KvObject.Create(
        Clock,
        [
            new Sibling
            {
                Dot = Dot,
                Value = "red"u8.ToArray(),
                LastModifiedMicroseconds = 1_700_000_000_123_456,
                VTag = "tag",
                Metadata = new ObjectMetadata
                {
                    ContentType = "text/plain",
                    Charset = "utf-8",
                    ContentEncoding = "identity",
                    Links = [new Link("b", "k", "t")],
                    UserMetadata = Pairs(("colour", "red")),
                    Indexes = Pairs(("age_int", "3"), ("name_bin", "é")),
                },
            },
            new Sibling { Dot = new Dot(Second, 4), Value = "{}"u8.ToArray(), VTag = "other", Metadata = new ObjectMetadata { ContentType = "application/json" } },
            new Sibling { Dot = null, IsTombstone = true, VTag = "" },
        ]);

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    public static IEnumerable<byte[]> Texts(params IEnumerable<string> texts) => texts.Select(Utf8);

    private static ImmutableArray<KeyValuePair<string, string>> Pairs(params (string Name, string Value)[] pairs) => [.. pairs.Select(pair => KeyValuePair.Create(pair.Name, pair.Value))];
}
