using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Kv.Kubectl.Connections;

/// <summary>
/// TLS to nodes, and who asks their grpc ports, where the cluster has security on. The password comes from a file or from the environment: arguments are for everybody to read. No record, so
/// that nothing prints it.
/// </summary>
internal sealed class DataSecurity
{
    private const string PasswordVariable = "KV_PASSWORD";

    private readonly string? header;
    private readonly X509Certificate2Collection? authorities;

    private DataSecurity(string? header, X509Certificate2Collection? authorities) => (this.header, this.authorities) = (header, authorities);

    /// <summary>Null where neither is asked for.</summary>
    public static DataSecurity? Of(string? user, string? passwordFile, string? authoritiesFile)
    {
        if (user is null && passwordFile is not null)
        {
            throw CliException.Usage("--password-file needs --user");
        }

        return user is null && authoritiesFile is null ? null : new DataSecurity(user is null ? null : HeaderOf(user, passwordFile), authoritiesFile is null ? null : Load(authoritiesFile));
    }

    /// <summary>TLS alone, to a Riak cluster: by these authorities' certificates, or by those that this machine trusts.</summary>
    public static DataSecurity OfSource(string? authoritiesFile) => new(null, authoritiesFile is null ? null : Load(authoritiesFile));

    /// <summary>The first line of a file, or of the environment where none is named.</summary>
    public static string PasswordOf(string? file, string variable) =>
        file is null ? Environment.GetEnvironmentVariable(variable) ?? "" : Read(file, File.ReadAllText).Split('\n', 2)[0].TrimEnd('\r');

    /// <summary>Names in the node's certificate are looked at where it is asked by its own address, and not through a port-forward.</summary>
    public void Secure(SocketsHttpHandler handler, bool checksNames) => Secure(handler.SslOptions, checksNames);

    /// <summary>
    /// For a connection to a node of Riak. Its certificate has the node's name as often as its host's: where the authorities are named, each of theirs counts, as for Riak's own clients.
    /// </summary>
    public SslClientAuthenticationOptions OfStream(string host)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host };
        Secure(options, checksNames: authorities is null);
        return options;
    }

    public CallInvoker Identify(CallInvoker invoker) => header is null ? invoker : invoker.Intercept(metadata =>
    {
        metadata.Add("authorization", header);
        return metadata;
    });

    private static string HeaderOf(string user, string? passwordFile) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{PasswordOf(passwordFile, PasswordVariable)}"));

    private void Secure(SslClientAuthenticationOptions options, bool checksNames)
    {
        var allowed = checksNames ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateNameMismatch;
        options.RemoteCertificateValidationCallback = (_, certificate, _, errors) => certificate is not null && (errors & ~allowed) == SslPolicyErrors.None;
        if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
    }

    private static X509Certificate2Collection Load(string file) => Read(file, path =>
    {
        var loaded = new X509Certificate2Collection();
        loaded.ImportFromPemFile(path);
        return loaded.Count > 0 ? loaded : throw new CryptographicException("it holds no certificate");
    });

    private static T Read<T>(string file, Func<string, T> read)
    {
        try
        {
            return read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw CliException.Usage($"{file} cannot be used: {e.Message}");
        }
    }
}
