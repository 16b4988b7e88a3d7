using Kv.Core.Indexes;
using Kv.Core.Objects;
using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>Objects as they are stored and sent between nodes, with what is read of one without decoding it, and what a vnode does with one first.</summary>
internal sealed class ObjectTarget : FuzzTarget
{
    private static readonly ObjectKey Key = new("t", "b", "k");

    public override string Name => "object";

    public override IEnumerable<byte[]> Seeds => [ObjectCodec.Encode(Samples.Object), ObjectCodec.EncodeHead(Samples.Object)];

    public override void Take(byte[] input)
    {
        var isObject = ObjectCodec.TryDecode(input, out var held, out _);
        var clock = ObjectCodec.PeekClock(input);
        var isTombstone = ObjectCodec.IsTombstone(input);
        if (!isObject)
        {
            return;
        }

        FuzzFailure.Unless(clock is not null && clock.Equals(held.Clock), "its clock is read in two ways");
        FuzzFailure.Unless(isTombstone == held.IsTombstone, "whether it is deleted is read in two ways");
        var encoded = ObjectCodec.Encode(held);
        FuzzFailure.Unless(ObjectCodec.TryDecode(encoded, out var again, out var failure), failure.ToString());
        FuzzFailure.UnlessSame(encoded, ObjectCodec.Encode(again), "an object");
        FuzzFailure.UnlessSame(ObjectCodec.ToHead(encoded), ObjectCodec.EncodeHead(held), "a head");
        _ = KvObject.Merge(held, again, dvvEnabled: true);
        _ = IndexEntries.Of(Key, held);
    }
}
