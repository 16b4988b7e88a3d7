using System.Security.Cryptography;
using Kv.Wire.Access;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Kv.Wire.Tests.Access;

/// <summary>A node's certificate: read at the start, taken up anew when its files change.</summary>
public sealed class NodeTlsTests : IDisposable
{
    private readonly TestAuthority authority = new();

    public void Dispose() => authority.Dispose();

    private NodeTls Open(TlsFiles? files = null) => new(files ?? authority.Files, TimeProvider.System, NullLogger<NodeTls>.Instance);

    private static string NameOf(NodeTls tls) => tls.ForClients().ServerCertificateContext!.TargetCertificate.Subject;

    [Fact]
    public void FilesThatWillNotDo_AreAnErrorAtTheStart()
    {
        Assert.ThrowsAny<IOException>(() => Open());
        authority.IssueServer();
        File.WriteAllText(authority.Files.Key, "no key");
        Assert.ThrowsAny<CryptographicException>(() => Open());
        authority.IssueServer();
        File.WriteAllText(authority.AuthorityFile, "");
        Assert.ThrowsAny<CryptographicException>(() => Open());
        Open(authority.Files with { ClientAuthorities = null }).Dispose();
    }

    [Fact]
    public void ARenewedCertificate_IsTakenUp_AndOneThatWillNotDoIsNot()
    {
        authority.IssueServer("first");
        using var tls = Open();
        Assert.Equal("CN=first", NameOf(tls));
        authority.IssueServer("second");
        tls.Look();
        Assert.Equal("CN=second", NameOf(tls));
        File.WriteAllText(authority.Files.Certificate, "half of it");
        tls.Look();
        tls.Look();
        Assert.Equal("CN=second", NameOf(tls));
        File.Delete(authority.Files.Certificate);
        tls.Look();
        Assert.Equal("CN=second", NameOf(tls));
        authority.IssueServer("third");
        tls.Look();
        Assert.Equal("CN=third", NameOf(tls));
    }

    [Fact]
    public void AReasonWhyFilesCannotBeTaken_IsToldOnce()
    {
        authority.IssueServer();
        var log = new ListLogger();
        using var tls = new NodeTls(authority.Files, TimeProvider.System, log);
        File.Delete(authority.Files.Certificate);
        tls.Look();
        tls.Look();
        Assert.Single(log.Lines);
        File.WriteAllText(authority.Files.Certificate, "half of it");
        tls.Look();
        tls.Look();
        Assert.Equal(2, log.Lines.Count);
    }

    private sealed class ListLogger : ILogger<NodeTls>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }

    [Fact]
    public void Clients_AreAskedForCertificates_WhereThereAreAuthorities()
    {
        authority.IssueServer();
        using var tls = Open();
        Assert.True(tls.ForClients().ClientCertificateRequired);
        using var without = Open(authority.Files with { ClientAuthorities = null });
        Assert.False(without.ForClients().ClientCertificateRequired);
    }
}
