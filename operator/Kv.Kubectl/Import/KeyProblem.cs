using Google.Protobuf;

namespace Kv.Kubectl.Import;

/// <summary>A key that was not copied.</summary>
internal sealed record KeyProblem(BucketId Bucket, ByteString Key, KeyFate Fate, string Reason);
