using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Access;

/// <summary>
/// The node's side of TLS: its certificate, and whose client certificates it takes. The files are looked at again now and then, and taken up when they changed, since whoever issues
/// certificates renews them; connections that are open go on. Files that make no sense are told of and change nothing.
/// </summary>
public sealed partial class NodeTls : IDisposable
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);

    private readonly TlsFiles files;
    private readonly ILogger<NodeTls> log;
    private readonly ITimer timer;

    // Guards the three that a look at the files compares with; it is one at a time.
    private readonly Lock gate = new();
    private byte[] seen;
    private byte[] failed = [];
    private string? unread;
    private volatile Material current;

    /// <summary>Throws <see cref="IOException"/>, <see cref="UnauthorizedAccessException"/> or <see cref="CryptographicException"/> where the files will not do.</summary>
    public NodeTls(TlsFiles files, TimeProvider time, ILogger<NodeTls> log)
    {
        (this.files, this.log) = (files, log);
        (seen, current) = (Fingerprint(), Load());
        timer = time.CreateTimer(static state => ((NodeTls)state!).Look(), this, LookInterval, LookInterval);
    }

    private sealed record Material(SslStreamCertificateContext Certificate, X509Certificate2Collection? ClientAuthorities, X509Certificate2Collection? PeerAuthorities);

    /// <summary>Of the certificate in use.</summary>
    public CertificateLife Life
    {
        get
        {
            var certificate = current.Certificate.TargetCertificate;
            return new CertificateLife(certificate.NotBefore, certificate.NotAfter);
        }
    }

    /// <summary>For one handshake with a client. It need not show a certificate; one that it shows has to be good.</summary>
    public SslServerAuthenticationOptions ForClients()
    {
        var material = current;
        var options = Server(material);
        if (material.ClientAuthorities is { } authorities)
        {
            options.ClientCertificateRequired = true;
            options.CertificateChainPolicy = PolicyOf(authorities, ClientAuthentication);
            options.RemoteCertificateValidationCallback = static (_, certificate, _, errors) => certificate is null || errors == SslPolicyErrors.None;
        }

        return options;
    }

    /// <summary>For one handshake with a node that calls: it has to show a node's certificate.</summary>
    public SslServerAuthenticationOptions ForPeers()
    {
        var material = current;
        var options = Server(material);
        options.ClientCertificateRequired = true;
        options.CertificateChainPolicy = PolicyOf(material.PeerAuthorities ?? [], ClientAuthentication, ServerAuthentication);
        return options;
    }

    /// <summary>
    /// For one handshake with a node that is called. That it is the one that was meant is asked of it by the peers' own handshake, so names in its certificate are not: nodes move.
    /// </summary>
    public SslClientAuthenticationOptions ToPeer()
    {
        var material = current;
        return new SslClientAuthenticationOptions
        {
            ClientCertificateContext = material.Certificate,
            EnabledSslProtocols = Protocols,
            CertificateChainPolicy = PolicyOf(material.PeerAuthorities ?? [], ServerAuthentication),
            RemoteCertificateValidationCallback = static (_, certificate, _, errors) => certificate is not null && (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None,
        };
    }

    /// <summary>Takes the files up if they changed.</summary>
    public void Look()
    {
        lock (gate)
        {
            var now = Array.Empty<byte>();
            try
            {
                now = Fingerprint();
                if (now.AsSpan().SequenceEqual(seen) || now.AsSpan().SequenceEqual(failed))
                {
                    return;
                }

                (current, seen, failed, unread) = (Load(), now, [], null);
                LogTaken(files.Certificate, Life.NotAfter);
            }
            catch (Exception e)
            {
                // All of them: a timer's exception ends the process, and this node has a certificate. Told once for each set of files, and for each reason why they cannot be read: half of a
                // renewal may be there already, and the other half at the next look.
                if (now.Length > 0 || e.Message != unread)
                {
                    LogNotTaken(files.Certificate, e.Message);
                }

                (failed, unread) = (now, now.Length > 0 ? null : e.Message);
            }
        }
    }

    public void Dispose() => timer.Dispose();

    private static SslServerAuthenticationOptions Server(Material material) => new()
    {
        ServerCertificateContext = material.Certificate,
        EnabledSslProtocols = Protocols,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
    };

    /// <summary>A certificate that says what it is for has to be for all of <paramref name="usages"/>.</summary>
    private static X509ChainPolicy PolicyOf(X509Certificate2Collection authorities, params ReadOnlySpan<string> usages)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(authorities);
        foreach (var usage in usages)
        {
            policy.ApplicationPolicy.Add(new Oid(usage));
        }

        return policy;
    }

    private byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in new[] { files.Certificate, files.Key, files.ClientAuthorities, files.PeerAuthorities })
        {
            hash.AppendData(file is null ? [] : SHA256.HashData(File.ReadAllBytes(file)));
        }

        return hash.GetHashAndReset();
    }

    private Material Load()
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(files.Certificate);
        var certificate = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        return new Material(SslStreamCertificateContext.Create(certificate, chain, offline: true), LoadAuthorities(files.ClientAuthorities), LoadAuthorities(files.PeerAuthorities));
    }

    private static X509Certificate2Collection? LoadAuthorities(string? file)
    {
        if (file is null)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(file);
        return authorities.Count > 0 ? authorities : throw new CryptographicException($"{file} holds no certificate");
    }

    [LoggerMessage(2511, LogLevel.Information, "the certificate of {File} is in use, until {NotAfter:u}")]
    private partial void LogTaken(string file, DateTimeOffset notAfter);

    [LoggerMessage(2512, LogLevel.Error, "the certificate of {File}, its key or its client authorities changed and cannot be used; those before stay in use: {Reason}")]
    private partial void LogNotTaken(string file, string reason);
}
