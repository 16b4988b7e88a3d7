namespace Kv.Kubectl;

/// <summary>What scripts can tell apart. The numbers are part of the command line's contract.</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>The cluster refused, or something is wrong that a repetition does not change.</summary>
    Failed = 1,

    /// <summary>The command line is wrong; nothing was asked of anybody.</summary>
    Usage = 2,

    /// <summary>What was named is not there.</summary>
    NotFound = 3,

    /// <summary>Nobody could be asked, or no answer came in time, or the cluster said: later. The same command may succeed later.</summary>
    Unavailable = 4,
}
