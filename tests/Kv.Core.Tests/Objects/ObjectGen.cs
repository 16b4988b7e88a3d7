using System.Collections.Immutable;
using System.Text;
using CsCheck;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Rings;

namespace Kv.Core.Tests.Objects;

/// <summary>Generators of clocks and objects. Few actors and small counters, so that they meet often.</summary>
internal static class ObjectGen
{
    public static readonly Gen<ActorId> Actor =
        Gen.Select(Gen.ULong[1, 3], Gen.Int[0, 1], Gen.UInt[0, 1]).Select((node, partition, epoch) => new ActorId(new NodeId(node), new PartitionId(partition), epoch));

    public static readonly Gen<VersionVector> Clock =
        Gen.Select(Actor, Gen.Frequency((9, Gen.ULong[1, 6]), (1, Gen.ULong[1, ulong.MaxValue])), Gen.UInt[0, 3])
            .Select((actor, counter, time) => new ClockEntry(actor, counter, time)).Array[0, 6].Select(VersionVector.FromEntries);

    private static readonly Gen<string> Text = Gen.String[Gen.Char.AlphaNumeric, 0, 8];

    private static readonly Gen<ImmutableArray<KeyValuePair<string, string>>> Pairs =
        Gen.Select(Text, Text).Select((name, value) => KeyValuePair.Create(name, value)).Array[0, 3].Select(pairs => pairs.ToImmutableArray());

    public static readonly Gen<ObjectMetadata> Metadata =
        Gen.Select(
            AnyOf<string?>(null, "application/json", "text/plain", "image/svg+xml", "ü/ä"),
            AnyOf<string?>(null, "utf-8"),
            AnyOf<string?>(null, "gzip", ""),
            Gen.Select(Text, Text, Text).Select((bucket, key, tag) => new Link(bucket, key, tag)).Array[0, 2],
            Pairs,
            Pairs).Select((type, charset, encoding, links, user, indexes) => new ObjectMetadata
            {
                ContentType = type,
                Charset = charset,
                ContentEncoding = encoding,
                Links = [.. links],
                UserMetadata = user,
                Indexes = indexes,
            });

    public static readonly Gen<Sibling> Sibling =
        Gen.Select(Gen.Select(Gen.Bool, Actor, Gen.ULong[1, 6]).Select((none, actor, counter) => none ? null : (Dot?)new Dot(actor, counter)), Gen.Byte.Array[0, 20], Metadata, Gen.Bool, Gen.Long, Text)
            .Select((dot, value, metadata, tombstone, time, tag) => new Sibling
            {
                Dot = dot,
                Value = tombstone ? Array.Empty<byte>() : value,
                Metadata = metadata,
                IsTombstone = tombstone,
                LastModifiedMicroseconds = time,
                VTag = tag,
            });

    /// <summary>Any object a codec may meet, sensible or not.</summary>
    public static readonly Gen<KvObject> Object = Gen.Select(Clock, Sibling.Array[1, 4]).Select((clock, siblings) => KvObject.Create(clock, siblings));

    public static Gen<T> AnyOf<T>(params T[] items) => Gen.Int[0, items.Length - 1].Select(i => items[i]);

    public static Sibling Content(string value, long time = 0, bool tombstone = false) =>
        new() { Dot = null, Value = Encoding.UTF8.GetBytes(value), LastModifiedMicroseconds = time, IsTombstone = tombstone, VTag = value };

    public static string[] Values(KvObject? held) => held is null ? [] : [.. held.Siblings.Select(sibling => Encoding.UTF8.GetString(sibling.Value.Span)).Order()];
}
