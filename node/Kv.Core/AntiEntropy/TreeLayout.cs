using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text;
using Kv.Core.Buckets;
using Kv.Core.Membership;
using Kv.Core.Objects;
using Kv.Core.Rings;
using Kv.Core.Stores;

namespace Kv.Core.AntiEntropy;

/// <summary>
/// By which rules a cluster document puts keys into trees: what range a key belongs to, and which ranges a vnode keeps. A rule is a bucket's n_val, key hashing,
/// whether it takes part, and whether its objects are in memory alone. Only exceptions are kept: types unlike <see cref="BucketProps.NewType"/> and buckets unlike their type; so a type that is added with the
/// usual n_val changes nothing, and keys of a type that is not known yet are where they will be. Immutable.
/// </summary>
public sealed class TreeLayout
{
    /// <summary>Part of <see cref="Id"/>: of how ranges follow from the document, of the trees' hashes and shape, and of the objects' stored form.</summary>
    private const int RulesVersion = 1;

    private static readonly Rule Usual = Rule.Of(BucketProps.NewType);

    private readonly FrozenDictionary<string, Rule> types;
    private readonly FrozenDictionary<BucketName, Rule> buckets;

    // Of ranges: each first partition has one of each.
    private readonly ImmutableArray<(int NVal, bool IsVolatile)> kinds;

    private TreeLayout(int ringSize, FrozenDictionary<string, Rule> types, FrozenDictionary<BucketName, Rule> buckets)
    {
        (RingSize, this.types, this.buckets) = (ringSize, types, buckets);
        kinds = [.. types.Values.Concat(buckets.Values).Append(Usual).Where(rule => rule.TakesPart).Select(rule => (rule.NVal, rule.IsVolatile)).Distinct().Order()];
        Id = ComputeId();
    }

    /// <summary>Never 0. Two documents of one id put every key into the same range.</summary>
    public ulong Id { get; }

    public int RingSize { get; }

    public static TreeLayout Of(ClusterDocument document)
    {
        var types = new Dictionary<string, Rule>(StringComparer.Ordinal);
        foreach (var (name, type) in document.BucketTypes)
        {
            AddException(types, name, type.Props);
        }

        AddException(types, ObjectKey.DefaultType, document.DefaultTypeProps);
        var buckets = new Dictionary<BucketName, Rule>();
        foreach (var (name, props) in document.Buckets)
        {
            if (Rule.Of(props) is var rule && rule != types.GetValueOrDefault(name.BucketType, Usual))
            {
                buckets.Add(name, rule);
            }
        }

        return new TreeLayout(document.Ring.Size, types.ToFrozenDictionary(StringComparer.Ordinal), buckets.ToFrozenDictionary());
    }

    /// <summary>The range that a key belongs to; null where its bucket takes no part.</summary>
    // hot
    public TreeRange? RangeOf(ObjectKey key)
    {
        var rule = RuleOf(key);
        return rule.TakesPart
            ? new TreeRange(RingHash.FirstPartition(key.BucketType, key.Bucket.Span, key.Key.Span, rule.IsBucketOnly, RingSize), rule.NVal, rule.IsVolatile)
            : null;
    }

    /// <summary>The tree of a vnode that a key is in; null for none: its bucket takes no part, or the vnode is none of its replicas any more.</summary>
    public TreeRange? RangeAt(PartitionId partition, ObjectKey key) => RangeOf(key) is { } range && range.IsHeldBy(partition, RingSize) ? range : null;

    /// <summary>The ranges that a vnode keeps trees of, ascending.</summary>
    public ImmutableArray<TreeRange> RangesOf(PartitionId partition) =>
    [
        .. kinds.SelectMany(kind => Enumerable.Range(0, Math.Min(kind.NVal, RingSize))
            .Select(back => new TreeRange(new PartitionId((partition.Number - back) & (RingSize - 1)), kind.NVal, kind.IsVolatile))).Order(),
    ];

    private Rule RuleOf(ObjectKey key)
    {
        if (buckets.Count > 0 && buckets.TryGetValue(new BucketName(key.BucketType, key.Bucket), out var own))
        {
            return own;
        }

        return types.Count > 0 && types.TryGetValue(key.BucketType, out var rule) ? rule : Usual;
    }

    private static void AddException(Dictionary<string, Rule> types, string name, BucketProps props)
    {
        if (Rule.Of(props) is var rule && rule != Usual)
        {
            types.Add(name, rule);
        }
    }

    /// <summary>Of a canonical text: the numbers, then the exceptions in order, each name with its length before it.</summary>
    private ulong ComputeId()
    {
        var bytes = new List<byte>();
        Add(bytes, RulesVersion, HashTree.Version, ObjectCodec.Version, RingSize, types.Count);
        foreach (var (name, rule) in types.OrderBy(type => type.Key, StringComparer.Ordinal))
        {
            Add(bytes, Encoding.UTF8.GetBytes(name), rule);
        }

        foreach (var (name, rule) in buckets.OrderBy(bucket => bucket.Key))
        {
            Add(bytes, Encoding.UTF8.GetBytes(name.BucketType), rule);
            Add(bytes, name.Bucket.Span, rule);
        }

        var id = EntryHash.OfKey([.. bytes]);
        return id == 0 ? 1 : id;
    }

    private static void Add(List<byte> bytes, ReadOnlySpan<byte> name, Rule rule)
    {
        Add(bytes, name.Length);
        bytes.AddRange(name);
        Add(bytes, rule.NVal, (rule.TakesPart ? 1 : 0) + (rule.IsVolatile ? 2 : 0), rule.IsBucketOnly ? 1 : 0);
    }

    private static void Add(List<byte> bytes, params ReadOnlySpan<int> numbers)
    {
        Span<byte> word = stackalloc byte[4];
        foreach (var number in numbers)
        {
            BinaryPrimitives.WriteInt32LittleEndian(word, number);
            bytes.AddRange(word);
        }
    }

    private readonly record struct Rule(int NVal, bool TakesPart, bool IsBucketOnly, bool IsVolatile)
    {
        public static Rule Of(BucketProps props) => new(props.NVal, props.Aae, RingHash.IsBucketOnly(props.ChashKeyFun), props.StoreBackend == StoreBackend.Memory);
    }
}
