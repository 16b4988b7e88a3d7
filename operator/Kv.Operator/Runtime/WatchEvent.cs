using System.Text.Json.Nodes;

namespace Kv.Operator.Runtime;

/// <summary>What happened to an object.</summary>
internal enum WatchEventType
{
    Added,
    Modified,
    Deleted,

    /// <summary>Nothing happened, but the resource version moved on.</summary>
    Bookmark,
}

internal sealed record WatchEvent(WatchEventType Type, JsonObject Object);
