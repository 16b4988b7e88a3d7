using Kv.Fuzz.Running;

namespace Kv.Fuzz.Targets;

/// <summary>Every decoder of bytes that a client, another node or a disk gives. One that is written is added here.</summary>
internal static class AllTargets
{
    public static IReadOnlyList<FuzzTarget> Create() =>
    [
        new PbFramesTarget(),
        new PbMessagesTarget(),
        new HttpTarget(),
        new MultipartTarget(),
        new HttpTextTarget(),
        new NativeTarget(),
        new ContextTarget(),
        new DataTypeTarget(),
        new DataTypeJsonTarget(),
        new MapReduceTarget(),
        new PropsTarget(),
        new IndexTarget(),
        new ObjectTarget(),
        new KeyTarget(),
        new PeersTarget(),
        new DocumentTarget(),
        new TreesTarget(),
        new LogTarget(),
        new FilesTarget(),
    ];
}
