namespace Kv.Kubectl.Import;

/// <summary>What has become of a key.</summary>
internal enum KeyFate
{
    /// <summary>The target did not have it, or not all of it, and does now.</summary>
    Copied,

    /// <summary>The target has it already.</summary>
    Equal,

    /// <summary>Listed, and not there any more: listings of Riak show deleted keys too.</summary>
    Deleted,

    /// <summary>The target has something else, which was left as it is.</summary>
    Conflict,

    /// <summary>It cannot be copied, however often it is tried: for a reason that is known, and lies in it.</summary>
    Refused,

    /// <summary>Source or target did not answer in time, were overloaded, or refused for a reason that may pass away: the next try may succeed.</summary>
    Failed,
}
