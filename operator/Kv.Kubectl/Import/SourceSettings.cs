using Kv.Kubectl.Connections;

namespace Kv.Kubectl.Import;

/// <summary>Where the data comes from. No password in what a record would print.</summary>
/// <param name="addresses">`host:port` of the Protocol Buffers port of one or several nodes; never empty.</param>
/// <param name="user">Null where the source has no security.</param>
/// <param name="password">The user's.</param>
/// <param name="tls">Null where it is spoken to in the open.</param>
/// <param name="timeout">For a request.</param>
internal sealed class SourceSettings(IReadOnlyList<string> addresses, string? user, string? password, DataSecurity? tls, TimeSpan timeout)
{
    public IReadOnlyList<string> Addresses { get; } = addresses;

    public string? User { get; } = user;

    public string Password { get; } = password ?? "";

    public DataSecurity? Tls { get; } = tls;

    public TimeSpan Timeout { get; } = timeout;
}
