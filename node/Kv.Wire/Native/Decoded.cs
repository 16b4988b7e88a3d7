using Kv.Cluster;

namespace Kv.Wire.Native;

/// <summary>A request that was read, or why it makes no sense.</summary>
internal readonly record struct Decoded<T>(T? Request, KvError? Error)
    where T : KvRequest;
