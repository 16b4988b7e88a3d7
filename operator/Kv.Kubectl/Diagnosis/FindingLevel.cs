namespace Kv.Kubectl.Diagnosis;

/// <summary>How much a finding matters, by Riak's words, the least first.</summary>
internal enum FindingLevel
{
    /// <summary>To be known; nothing is wrong.</summary>
    Notice,

    /// <summary>Something to look at before it becomes worse.</summary>
    Warning,

    /// <summary>Something does not work, and no data is at risk for it alone.</summary>
    Error,

    /// <summary>Requests fail or data is at risk, or both are near.</summary>
    Critical,
}
