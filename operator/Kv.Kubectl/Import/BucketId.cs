using Google.Protobuf;
using Kv.Kubectl.Output;

namespace Kv.Kubectl.Import;

/// <summary>A bucket of a type, the same in source and target.</summary>
internal readonly record struct BucketId(string Type, ByteString Name)
{
    /// <summary>For people: <c>type/bucket</c>.</summary>
    public override string ToString() => $"{Type}/{Escape.NameOf(Name)}";
}
