using Kv.Wire.Access;

namespace Kv.Wire.Admin;

/// <summary>What a node says of itself beyond its membership. The functions are asked anew each time, in bytes.</summary>
/// <param name="MemoryLimitBytes">What the process may use.</param>
/// <param name="MemoryBytes">What it uses.</param>
public sealed record NodeFacts(string Version, int FormatVersion, long MemoryLimitBytes, Func<long> DataBytes, Func<long> DiskFreeBytes, Func<long> MemoryBytes)
{
    /// <summary>Of the certificate in use, asked anew each time; null where the node has none.</summary>
    public Func<CertificateLife>? Certificate { get; init; }
}
