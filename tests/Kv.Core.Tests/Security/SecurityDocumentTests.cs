using System.Collections.Immutable;
using System.Globalization;
using CsCheck;
using Kv.Core.Membership;
using Kv.Core.Security;
using Kv.Core.Tests.Membership;
using Xunit;
using static Kv.Core.Security.SecurityChange;
using static Kv.Core.Tests.Security.SecuritySamples;

namespace Kv.Core.Tests.Security;

/// <summary>Security as part of the cluster document: how it is changed there, stored and sent.</summary>
public sealed class SecurityDocumentTests
{
    private static readonly byte[] Golden = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Security", "Golden", "cluster-document-v2.bin"));

    [Fact]
    public void ADocument_EncodedAndDecoded_HasTheSameSecurityAndTheSameBytes()
    {
        GenState.Sample(state =>
        {
            var bytes = ClusterDocumentCodec.Encode(DocumentSamples.Single() with { Security = state });
            var decoded = ClusterDocumentCodec.Decode(bytes);
            Assert.True(decoded.Security.HasSameContent(state));
            Assert.Equal(bytes, ClusterDocumentCodec.Encode(decoded));
            Assert.Equal(state.IsEmpty ? 1 : 2, bytes[0]);
        });
    }

    [Fact]
    public void AChange_EncodedAndDecoded_IsTheSameBytes()
    {
        GenChange.Sample(change =>
        {
            var bytes = DocumentChangeCodec.Encode(new DocumentChange.ChangeSecurity(change));
            var decoded = Assert.IsType<DocumentChange.ChangeSecurity>(DocumentChangeCodec.Decode(bytes));
            Assert.IsType(change.GetType(), decoded.Change);
            Assert.Equal(bytes, DocumentChangeCodec.Encode(decoded));
        });
    }

    [Fact]
    public void AnAcceptorsState_HasTheVersionOfItsDocument()
    {
        var document = DocumentSamples.Single();
        var plain = new AcceptorState(2, Ballot.Zero, Ballot.Zero, document);
        var secured = plain with { Accepted = document with { Security = State(new AddUser("ada", RoleSettings.None)) } };
        Assert.Equal([1, 2], new[] { AcceptorStateCodec.Encode(plain)[0], AcceptorStateCodec.Encode(secured)[0] });
        Assert.Equal(["ada"], AcceptorStateCodec.Decode(AcceptorStateCodec.Encode(secured)).Accepted!.Security.Users.Keys);
    }

    [Fact]
    public void AnAcceptor_LetsGoOfWhatAnOlderProgramCannotRead_OnceThatIsDecided_AndVotesOnNoVersionBefore()
    {
        var held = DocumentSamples.Single() with { Version = 5 };
        var ballot = new Ballot(1, held.Members[0].Id);
        var secured = held with { Version = 5, Security = State(new AddUser("ada", RoleSettings.None)) };
        var state = new AcceptorState(5, ballot, ballot, secured) { ClusterId = held.ClusterId };
        Assert.Null(DocumentAcceptor.Forget(state, held with { Version = 4 }));
        Assert.Null(DocumentAcceptor.Forget(state, secured));
        Assert.Null(DocumentAcceptor.Forget(state with { Accepted = held }, held));
        var forgotten = DocumentAcceptor.Forget(state, held)!;
        Assert.Equal(1, AcceptorStateCodec.Encode(forgotten)[0]);
        Assert.IsType<AcceptorReply.Behind>(DocumentAcceptor.Prepare(forgotten, held with { Version = 4 }, held.ClusterId, 5, ballot).Reply);
        Assert.IsType<AcceptorReply.Promised>(DocumentAcceptor.Prepare(forgotten, held, held.ClusterId, 6, ballot).Reply);
    }

    [Fact]
    public void TheFirstChange_IsRefused_WhereAMemberIsNotAmongThoseThatWereAsked()
    {
        var document = DocumentSamples.Single();
        var change = new DocumentChange.ChangeSecurity(new AddUser("ada", RoleSettings.None));
        DocumentSamples.Refused(document, change, SecurityRefusal.NotSupported);
        var asked = Assert.IsType<DocumentChange.ChangeSecurity>(DocumentChangeCodec.Decode(DocumentChangeCodec.Encode(change with { Knowing = [document.Members[0].Id] })));
        var secured = DocumentSamples.Change(document, asked);
        DocumentSamples.Change(secured, new DocumentChange.ChangeSecurity(new AddUser("bob", RoleSettings.None)));
    }

    [Fact]
    public void AllOfIt_HasABoundInBytes_BelowWhichItCanBeTurnedOnAndOff()
    {
        var note = new string('x', 1000);
        var options = Enumerable.Range(0, 32).ToImmutableSortedDictionary(n => n.ToString(CultureInfo.InvariantCulture), _ => note, StringComparer.Ordinal);
        var groups = Enumerable.Range(0, 129).ToImmutableSortedDictionary(
            n => string.Create(CultureInfo.InvariantCulture, $"g{n:000}"), _ => new SecurityRole { Options = options }, StringComparer.Ordinal);
        var full = DocumentSamples.Single() with { Security = SecurityState.Off with { Groups = groups } };
        DocumentSamples.Refused(full, new DocumentChange.ChangeSecurity(new AddGroup("one-more", new RoleSettings { Options = options })), SecurityRefusal.TooMany);
        var on = DocumentSamples.Change(full, new DocumentChange.ChangeSecurity(new Enable(true)));
        DocumentSamples.Change(on, new DocumentChange.ChangeSecurity(new Enable(false)));
    }

    [Fact]
    public void Rules_AreTheDocuments()
    {
        var document = DocumentSamples.Single();
        var change = new DocumentChange.ChangeSecurity(new AddUser("ada", RoleSettings.None)) { Knowing = [document.Members[0].Id] };
        var changed = DocumentSamples.Change(document, change);
        Assert.Equal(["ada"], changed.Security.Users.Keys);
        DocumentSamples.Unchanged(changed, change);
        DocumentSamples.Refused(changed, new DocumentChange.ChangeSecurity(new Grant(Permissions.Get, GrantScope.Any, ["eve"])), SecurityRefusal.UnknownRoles);
    }

    [Fact]
    public void ADocument_ThatBreaksALaw_IsRefused()
    {
        var broken = DocumentSamples.Single() with { Security = new SecurityState { Sources = State(Source("all", "::/0", SourceKind.Trust)).Sources.Add(new SourceKey("eve", Network("::/0")), new SecuritySource(SourceKind.Trust, NoOptions)) } };
        Assert.Equal("a source is for eve, who is no user", DocumentRules.WhyBroken(broken));
        Assert.False(ClusterDocumentCodec.TryDecode(ClusterDocumentCodec.Encode(broken), out _, out _));
    }

    [Fact]
    public void DamagedBytes_NeverThrowAnythingElse()
    {
        Gen.Select(Gen.Int[0, Golden.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            var bytes = Golden.ToArray();
            bytes[at] = value;
            if (!ClusterDocumentCodec.TryDecode(bytes, out _, out var reason))
            {
                Assert.NotEmpty(reason);
            }
        });
    }

    [Fact]
    public void GoldenFile_OfVersion2_IsReadAndWrittenAsItIs()
    {
        var decoded = ClusterDocumentCodec.Decode(Golden);
        Assert.True(decoded.Security.HasSameContent(Sample()));
        Assert.Equal(Golden, ClusterDocumentCodec.Encode(decoded));
    }

    private static SecurityState Sample() => State(
        new AddGroup("staff", new RoleSettings { Options = NoOptions.Add("note", "all of us") }),
        new AddUser("ada", new RoleSettings { Password = Hashed("secret"), Groups = ["staff"] }),
        Source("all", "0.0.0.0/0", SourceKind.Password),
        Source("ada", "fd00::/8", SourceKind.Certificate),
        new Grant(Permissions.Get | Permissions.Put, Scope("fruits", "apples"), ["staff"]),
        new Grant(Permissions.GetBucketType, Scope("fruits"), ["ada"]),
        new Grant(Permissions.ListKeys, Scope(null), ["all"]),
        new Enable(true));
}
