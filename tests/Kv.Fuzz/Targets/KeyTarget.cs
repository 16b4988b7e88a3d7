using Kv.Core.Objects;
using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>Names of objects as stores keep them and nodes send them.</summary>
internal sealed class KeyTarget : FuzzTarget
{
    public override string Name => "key";

    public override IEnumerable<byte[]> Seeds => [ObjectKeyCodec.Encode("default", "b"u8, "k"u8), ObjectKeyCodec.Encode("téxt", "a\0\0b"u8, "\0k"u8)];

    public override void Take(byte[] input)
    {
        if (ObjectKeyCodec.TryDecode(input, out var key))
        {
            FuzzFailure.UnlessSame(input, ObjectKeyCodec.Encode(key.BucketType, key.Bucket.Span, key.Key.Span), "a name");
        }
    }
}
